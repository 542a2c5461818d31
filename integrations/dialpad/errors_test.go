package dialpad

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestStatusMapsToKind(t *testing.T) {
	shape := func(message string) string {
		return `{"error":{"code":1,"message":"` + message + `","errors":[{"message":"inner"}]}}`
	}
	after := func(v string) http.Header { return http.Header{"Retry-After": {v}} }
	for _, tc := range []struct {
		name    string
		status  int
		header  http.Header
		body    string
		post    Kind
		get     Kind
		message string
		wait    time.Duration
	}{
		{"401", 401, nil, shape("no"), Unauthorized, Unauthorized, "no", 0},
		{"403", 403, nil, shape("You may not"), Forbidden, Forbidden, "You may not", 0},
		{"403 of a corporate admin", 403, nil, shape("Ask your corporate admin, unlimited"), Forbidden, Forbidden, "Ask your corporate admin, unlimited", 0},
		{"403 rate", 403, after("61"), shape("Rate exceeded"), RateLimited, RateLimited, "Rate exceeded", 61 * time.Second},
		{"403 quota, plain", 403, nil, "Quota used up", RateLimited, RateLimited, "Quota used up", 0},
		{"403 HTML", 403, nil, "<html>Forbidden</html>", Forbidden, Forbidden, "", 0},
		{"429", 429, after("Tue, 24 Nov 2026 09:00:30 GMT"), "", RateLimited, RateLimited, "", 30 * time.Second},
		{"429 in the past", 429, after("Tue, 24 Nov 2026 08:00:30 GMT"), "", RateLimited, RateLimited, "", 0},
		{"429 for ever", 429, after("99999999999"), "", RateLimited, RateLimited, "", 24 * time.Hour},
		{"rate_limit_exceeded whatever the status", 500, nil, shape("rate_limit_exceeded"), RateLimited, RateLimited, "rate_limit_exceeded", 0},
		{"404", 404, nil, `{"error":"Not found"}`, NotFound, NotFound, "Not found", 0},
		{"400", 400, nil, shape("Not a valid phone number: +1"), Refused, Refused, "Not a valid phone number: +1", 0},
		{"400, inner message only", 400, nil, `{"error":{"errors":[{},{"message":"inner"}]}}`, Refused, Refused, "inner", 0},
		{"400, message at the top", 400, nil, `{"message":"top"}`, Refused, Refused, "top", 0},
		{"409", 409, nil, "", Refused, Refused, "", 0},
		{"413", 413, nil, `[]`, Refused, Refused, "", 0},
		{"500", 500, nil, shape("oops"), Lost, Unavailable, "oops", 0},
		{"503", 503, nil, "", Lost, Unavailable, "", 0},
		{"503 with Retry-After", 503, after("7"), "", NotSent, Unavailable, "", 7 * time.Second},
		{"302", 302, http.Header{"Location": {"/login"}}, "", Lost, Unavailable, "", 0},
		{"200 HTML", 200, nil, "<html>", Lost, Unavailable, "", 0},
		{"200 null", 200, nil, "null", Lost, Unavailable, "", 0},
		{"200 no id", 200, nil, "{}", Lost, Unavailable, "", 0},
		{"200 too large", 200, nil, `{"id":"1","text":"` + strings.Repeat("x", maxBody) + `"}`, Lost, Unavailable, "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := clientAnswering(t, tc.status, tc.header, tc.body)
			_, postErr := c.SendSMS(t.Context(), "token", text)
			_, getErr := c.Me(t.Context(), "token")
			for _, got := range []struct {
				err  error
				want Kind
			}{{postErr, tc.post}, {getErr, tc.get}} {
				var e *Error
				if !errors.As(got.err, &e) || e.Kind != got.want || e.Status != tc.status || e.Message != tc.message || e.RetryAfter != tc.wait {
					t.Errorf("got %+v, want kind %s", got.err, got.want)
				}
			}
		})
	}
}

// Error() goes to logs: it must hold neither Dialpad's text nor ours.
func TestErrorTextHoldsNoSecrets(t *testing.T) {
	secrets := []string{"t0ken", "+14155550142", "4155550142", "hush", "r3fresh", "ann@example.com"}
	echo := `{"error":{"message":"t0ken +14155550142 hush r3fresh ann@example.com"},"id":4155550142}`
	clients := []*Client{New(Config{BaseURL: "http://127.0.0.1:1"}), clientAnswering(t, 400, nil, echo), clientAnswering(t, 500, nil, echo), clientAnswering(t, 200, nil, `{"id":[4155550142]}`)}
	for _, c := range clients {
		_, err1 := c.SendSMS(t.Context(), "t0ken", SMS{UserID: "1", ToNumber: "+14155550142", Text: "hush"})
		_, err2 := c.Refresh(t.Context(), "r3fresh")
		_, err3 := c.Users(t.Context(), "t0ken", UsersQuery{Email: "ann@example.com", Cursor: "hush"})
		_, err4 := c.SendSMS(t.Context(), "t0ken", SMS{UserID: "hush"})
		for _, err := range []error{err1, err2, err3, err4} {
			for _, secret := range secrets {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("%q holds %q", err, secret)
				}
			}
		}
	}
}

func TestTokenEndpointErrors(t *testing.T) {
	jsonHeader := http.Header{"Content-Type": {"application/json"}}
	for _, tc := range []struct {
		status int
		body   string
		want   Kind
	}{
		{400, `{"error":"invalid_grant","error_description":"gone"}`, InvalidGrant},
		{401, `{"error":"invalid_grant"}`, InvalidGrant},
		{400, `{"error":{"code":400,"message":"invalid_grant: token was traded in"}}`, InvalidGrant},
		{200, `{"error":"invalid_grant"}`, InvalidGrant},
		{400, `{"error":"invalid_request"}`, Refused},
		{401, `{"error":"invalid_client"}`, Unauthorized},
		{429, ``, RateLimited},
		{502, `{"error":"invalid_grant"}`, Lost},
		{200, `{"access_token":""}`, Lost},
		{200, `<html>`, Lost},
	} {
		_, err := clientAnswering(t, tc.status, jsonHeader, tc.body).Refresh(t.Context(), "old")
		if got := KindOf(err); got != tc.want {
			t.Errorf("%d %s: %q (%v), want %q", tc.status, tc.body, got, err, tc.want)
		}
		if errors.Is(err, ErrInvalidGrant) != (tc.want == InvalidGrant) {
			t.Errorf("%d %s: errors.Is disagrees", tc.status, tc.body)
		}
	}
	if _, err := New(Config{}).Refresh(t.Context(), ""); !errors.Is(err, ErrInvalidGrant) {
		t.Errorf("no refresh token: %v", err)
	}
}

func TestTokenDecodes(t *testing.T) {
	jsonHeader := http.Header{"Content-Type": {"application/json"}}
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for body, want := range map[string]Token{
		`{"access_token":"a","refresh_token":"r","expires_in":3600,"token_type":"bearer"}`: {"a", "r", now.Add(time.Hour)},
		`{"access_token":"a","refresh_token":"r","expires_in":"60"}`:                       {"a", "r", now.Add(time.Minute)},
		`{"access_token":"a","refresh_token":null,"expires_in":null}`:                      {"a", "old", time.Time{}},
	} {
		got, err := clientAnswering(t, 200, jsonHeader, body).Refresh(t.Context(), "old")
		if got != want || err != nil {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}
