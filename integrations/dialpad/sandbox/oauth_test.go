package sandbox_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
)

func TestOAuthFlowToFirstText(t *testing.T) {
	w := newWorld(t, nil)
	token := w.connect(t, sandbox.AnaID)
	if want := w.now().Add(time.Hour); !token.Expiry.Equal(want) || token.Refresh == "" {
		t.Errorf("token = %+v", token)
	}
	me, err := w.client.Me(t.Context(), token.Access)
	if err != nil || me.ID != sandbox.AnaID || me.CompanyID != sandbox.AcmeID || !me.IsSuperAdmin || me.Number() != "+14155550100" {
		t.Fatalf("me = %+v, %v", me, err)
	}
	result, err := w.client.SendSMS(t.Context(), token.Access, hello)
	if err != nil || result.ID == "" || result.Status != "pending" {
		t.Fatalf("result = %+v, %v", result, err)
	}
	texts := w.Texts()
	if len(texts) != 1 || texts[0].From != "+14155550101" || texts[0].To != hello.ToNumber || texts[0].Text != "Hi" {
		t.Errorf("texts = %+v", texts)
	}
	if err := w.client.Revoke(t.Context(), token.Access); err != nil {
		t.Fatal(err)
	}
	_, err = w.client.Me(t.Context(), token.Access)
	wantKind(t, err, dialpad.Unauthorized)
}

func TestCodeWorksOnceAndOnlyWithItsVerifier(t *testing.T) {
	w := newWorld(t, nil)
	code := func(verifier string) string {
		next, err := w.Consent(w.client.AuthCodeURL("st", verifier), sandbox.AnaID)
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(next)
		return u.Query().Get("code")
	}
	verifier := oauth2.GenerateVerifier()
	_, err := w.client.Exchange(t.Context(), code(verifier), oauth2.GenerateVerifier())
	if !errors.Is(err, dialpad.ErrInvalidGrant) {
		t.Errorf("other verifier: %v", err)
	}
	good := code(verifier)
	if _, err := w.client.Exchange(t.Context(), good, verifier); err != nil {
		t.Fatal(err)
	}
	if _, err = w.client.Exchange(t.Context(), good, verifier); !errors.Is(err, dialpad.ErrInvalidGrant) {
		t.Errorf("code again: %v", err)
	}
	late := code(verifier)
	w.advance(11 * time.Minute)
	if _, err = w.client.Exchange(t.Context(), late, verifier); !errors.Is(err, dialpad.ErrInvalidGrant) {
		t.Errorf("old code: %v", err)
	}
}

func TestRefreshRotates(t *testing.T) {
	w := newWorld(t, nil)
	first := w.connect(t, sandbox.AnaID)
	w.advance(time.Hour)
	_, err := w.client.Me(t.Context(), first.Access)
	wantKind(t, err, dialpad.Unauthorized)
	second, err := w.client.Refresh(t.Context(), first.Refresh)
	if err != nil || second.Refresh == first.Refresh {
		t.Fatalf("second = %+v, %v", second, err)
	}
	if _, err := w.client.Me(t.Context(), second.Access); err != nil {
		t.Error(err)
	}
	_, err = w.client.Refresh(t.Context(), first.Refresh)
	if !errors.Is(err, dialpad.ErrInvalidGrant) {
		t.Errorf("spent token: %v", err)
	}
}

func TestRefreshGrace(t *testing.T) {
	w := newWorld(t, func(o *sandbox.Options) { o.RefreshGrace = time.Minute })
	first := w.connect(t, sandbox.AnaID)
	for range 2 {
		if _, err := w.client.Refresh(t.Context(), first.Refresh); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(time.Minute)
	if _, err := w.client.Refresh(t.Context(), first.Refresh); !errors.Is(err, dialpad.ErrInvalidGrant) {
		t.Errorf("after the grace: %v", err)
	}
}

// JSON is documented, forms are usual; the client is in the body or in
// Basic authentication.
func TestTokenEndpointTakesJSONAndForms(t *testing.T) {
	w := newWorld(t, nil)
	for _, tc := range []struct {
		name, contentType, body string
		basic                   bool
		status                  int
	}{
		{"JSON", "application/json", `{"grant_type":"refresh_token","refresh_token":"x","client_id":"app","client_secret":"s3cret"}`, false, 400},
		{"Basic", "application/x-www-form-urlencoded", `grant_type=refresh_token&refresh_token=x`, true, 400},
		{"wrong secret", "application/json", `{"grant_type":"refresh_token","refresh_token":"x","client_id":"app","client_secret":"no"}`, false, 401},
		{"garbage", "application/json", `[`, false, 400},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/oauth2/token", strings.NewReader(tc.body))
		req.Header.Set("Content-Type", tc.contentType)
		if tc.basic {
			req.SetBasicAuth("app", "s3cret")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tc.status {
			t.Errorf("%s: %d, want %d", tc.name, resp.StatusCode, tc.status)
		}
	}
}

func TestTokenNeverExpiresWithoutOfflineAccess(t *testing.T) {
	w := newWorld(t, nil)
	w.client = dialpad.New(dialpad.Config{BaseURL: w.url, ClientID: "app", ClientSecret: "s3cret", RedirectURL: callback, Now: w.now})
	token := w.connect(t, sandbox.AnaID)
	if token.Refresh != "" || !token.Expiry.IsZero() {
		t.Errorf("token = %+v", token)
	}
	w.advance(1000 * time.Hour)
	if _, err := w.client.Me(t.Context(), token.Access); err != nil {
		t.Error(err)
	}
}

func TestConsentRefusesInvalidRequests(t *testing.T) {
	w := newWorld(t, nil)
	ask := func(change url.Values) string {
		q := url.Values{"client_id": {"app"}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {"st"}}
		maps.Copy(q, change)
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := client.Get(w.url + "/oauth2/authorize?" + q.Encode())
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if to := resp.Header.Get("Location"); to != "" {
			u, _ := url.Parse(to)
			return u.Query().Get("error")
		}
		return resp.Status
	}
	for _, tc := range []struct {
		change url.Values
		want   string
	}{
		{nil, "200 OK"},
		{url.Values{"redirect_uri": {callback + "&more=1"}}, "400 Bad Request"}, // never redirected to
		{url.Values{"client_id": {"other"}}, "400 Bad Request"},
		{url.Values{"scope": {"offline_access message_content_export:all"}}, "invalid_scope"},
		{url.Values{"response_type": {"token"}}, "unsupported_response_type"},
		{url.Values{"code_challenge_method": {"S512"}}, "invalid_request"},
	} {
		if got := ask(tc.change); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.change, got, tc.want)
		}
	}
}

func TestRevokeReach(t *testing.T) {
	for _, c := range []struct {
		reach                     sandbox.RevokeReach
		same, colleague, stranger bool // still work
	}{
		{sandbox.ReachToken, true, true, true}, {sandbox.ReachUser, false, true, true}, {sandbox.ReachCompany, false, false, true},
	} {
		w := newWorld(t, nil)
		w.SetRevokeReach(c.reach)
		gil := w.AddUser(sandbox.User{CompanyID: sandbox.GlobexID, Emails: []string{"gil@globex.com"}})
		first, same := w.IssueToken(sandbox.AnaID), w.IssueToken(sandbox.AnaID)
		colleague, stranger := w.IssueToken(sandbox.BenID), w.IssueToken(gil)
		if err := w.client.Revoke(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		for token, want := range map[string]bool{first: false, same: c.same, colleague: c.colleague, stranger: c.stranger} {
			if _, err := w.client.Me(t.Context(), token); (err == nil) != want {
				t.Errorf("reach %q: works %t, want %t", c.reach, err == nil, want)
			}
		}
	}
}
