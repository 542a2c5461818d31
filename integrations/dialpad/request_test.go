package dialpad

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// capturedRequest is what a call looked like at the server.
type capturedRequest struct{ Method, URI, Auth, Type, Body string }

func TestRequestShapes(t *testing.T) {
	var got capturedRequest
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = capturedRequest{r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}
		_, _ = io.WriteString(w, `{"id":"1","items":null}`)
	}))
	defer server.Close()
	c := New(Config{BaseURL: server.URL + "/"})
	const auth, typ = "Bearer token", "application/json"
	for _, tc := range []struct {
		name string
		do   func(context.Context) error
		want capturedRequest
	}{
		{"text by user", func(ctx context.Context) error {
			_, err := c.SendSMS(ctx, "token", SMS{UserID: "5835806903417907", ToNumber: "+14155550142", Text: "a\n\"b\" <c>"})
			return err
		}, capturedRequest{"POST", "/api/v2/sms", auth, typ, `{"user_id":5835806903417907,"to_numbers":["+14155550142"],"text":"a\n\"b\" \u003cc\u003e"}`}},
		{"text from a number", func(ctx context.Context) error {
			_, err := c.SendSMS(ctx, "token", SMS{FromNumber: "+14155550100", ToNumber: "+14155550142", Text: "é"})
			return err
		}, capturedRequest{"POST", "/api/v2/sms", auth, typ, `{"from_number":"+14155550100","to_numbers":["+14155550142"],"text":"é"}`}},
		{"me", func(ctx context.Context) error { _, err := c.Me(ctx, "token"); return err }, capturedRequest{"GET", "/api/v2/users/me", auth, "", ""}},
		{"user", func(ctx context.Context) error { _, err := c.User(ctx, "token", "a/b"); return err }, capturedRequest{"GET", "/api/v2/users/a%2Fb", auth, "", ""}},
		{"users", func(ctx context.Context) error { _, err := c.Users(ctx, "token", UsersQuery{}); return err }, capturedRequest{"GET", "/api/v2/users?state=all", auth, "", ""}},
		{"users by e-mail", func(ctx context.Context) error {
			_, err := c.Users(ctx, "token", UsersQuery{Email: "a+b@x.example", State: "active", Cursor: "c="})
			return err
		}, capturedRequest{"GET", "/api/v2/users?cursor=c%3D&email=a%2Bb%40x.example&state=active", auth, "", ""}},
		{"opt-outs", func(ctx context.Context) error { _, err := c.OptOuts(ctx, "token", "9", "c"); return err }, capturedRequest{"GET", "/api/v2/company/9/smsoptout?cursor=c&opt_out_state=opted_out", auth, "", ""}},
		{"webhook", func(ctx context.Context) error {
			_, err := c.CreateWebhook(ctx, "token", "https://x.example/h", "s")
			return err
		}, capturedRequest{"POST", "/api/v2/webhooks", auth, typ, `{"hook_url":"https://x.example/h","secret":"s"}`}},
		{"sms subscription", func(ctx context.Context) error { _, err := c.CreateSMSSubscription(ctx, "token", "1000"); return err }, capturedRequest{"POST", "/api/v2/subscriptions/sms", auth, typ, `{"direction":"all","enabled":true,"endpoint_id":1000,"include_internal":true,"status":true}`}},
		{"change-log subscription", func(ctx context.Context) error {
			_, err := c.CreateChangeLogSubscription(ctx, "token", "1000")
			return err
		}, capturedRequest{"POST", "/api/v2/subscriptions/changelog", auth, typ, `{"enabled":true,"endpoint_id":1000}`}},
		{"delete", func(ctx context.Context) error { return c.DeleteSMSSubscription(ctx, "token", "7") }, capturedRequest{"DELETE", "/api/v2/subscriptions/sms/7", auth, "", ""}},
		{"revoke", func(ctx context.Context) error { return c.Revoke(ctx, "token") }, capturedRequest{"POST", "/oauth2/deauthorize", auth, "", ""}},
	} {
		got = capturedRequest{}
		if err := tc.do(t.Context()); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestInvalidIDsAreRefused(t *testing.T) {
	c := New(Config{BaseURL: "http://127.0.0.1:1"})
	for _, id := range []string{"abc", "1e9", "-1", "007", "12345678901234567890", "1,\"to_numbers\":[]"} {
		if _, err := c.SendSMS(t.Context(), "token", SMS{UserID: id}); KindOf(err) != Refused {
			t.Errorf("user %q: %v", id, err)
		}
		if _, err := c.CreateSMSSubscription(t.Context(), "token", id); KindOf(err) != Refused {
			t.Errorf("webhook %q: %v", id, err)
		}
	}
}

func TestListReadsAllPagesAndStopsAtARepeatedCursor(t *testing.T) {
	asked := []string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("cursor"))
		switch r.URL.Query().Get("cursor") {
		case "":
			_, _ = io.WriteString(w, `{"items":[{"id":1,"hook_url":"https://x.example/1","signature":{"secret":"s"}}],"cursor":"a"}`)
		case "a":
			_, _ = io.WriteString(w, `{"items":null,"cursor":"b"}`)
		default:
			_, _ = io.WriteString(w, `{"items":[{"id":"2"}],"cursor":"b"}`)
		}
	}))
	defer server.Close()
	got, err := New(Config{BaseURL: server.URL}).Webhooks(t.Context(), "token")
	if diff := cmp.Diff([]Webhook{{ID: "1", URL: "https://x.example/1"}, {ID: "2"}}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if diff := cmp.Diff([]string{"", "a", "b"}, asked); diff != "" {
		t.Error(diff)
	}
}

// The verifier and its challenge are those of RFC 7636, appendix B.
func TestAuthCodeURL(t *testing.T) {
	c := New(Config{ClientID: "app", RedirectURL: "https://x.example/cb", Scopes: []string{"offline_access", "change_log"}})
	u, err := url.Parse(c.AuthCodeURL("st", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"client_id": {"app"}, "redirect_uri": {"https://x.example/cb"}, "response_type": {"code"}, "scope": {"offline_access change_log"}, "state": {"st"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	if diff := cmp.Diff(want, u.Query()); diff != "" || u.Host != "dialpad.com" {
		t.Errorf("%s %s", u.Host, diff)
	}
}

func TestInvalidBaseURLIsNotSent(t *testing.T) {
	c := New(Config{BaseURL: "http://[::1"})
	_, err := c.SendSMS(t.Context(), "token", text)
	_, err2 := c.Me(t.Context(), "token")
	if KindOf(err) != NotSent || KindOf(err2) != NotSent {
		t.Errorf("errors = %v, %v", err, err2)
	}
}
