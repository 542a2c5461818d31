package dialpad

import (
	"net/http"
	"testing"
	"time"
)

var exchangedAt = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) // the clock of clientAnswering

// A pair is good whatever stands in expires_in: the code or the refresh
// token is spent. What can't be read means an unknown expiry.
func TestTokensAreKeptWhateverExpiresInIs(t *testing.T) {
	for expires, seconds := range map[string]int64{
		`3600`: 3600, `3600.0`: 3600, `"3600"`: 3600, `"3600.0"`: 3600, `3.6e3`: 3600, `3600e0`: 3600, `1`: 1, `315360000`: 315360000,
		`""`: 0, `"never"`: 0, `true`: 0, `false`: 0, `null`: 0, `9223372036854775807`: 0, `9223372036854775808`: 0,
		`18446744073709551616`: 0, `-3600`: 0, `-1`: 0, `0`: 0, `0.5`: 0, `1e300`: 0, `1e-300`: 0, `1e999999999`: 0, `[]`: 0, `{}`: 0,
		`[3600]`: 0, `{"seconds":3600}`: 0, `"1h"`: 0, `315360001`: 0, `2147483648`: 0,
	} {
		want := time.Time{}
		if seconds > 0 {
			want = exchangedAt.Add(time.Duration(seconds) * time.Second)
		}
		for _, contentType := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded", ""} {
			c := clientAnswering(t, 200, http.Header{"Content-Type": {contentType}},
				`{"access_token":"a","refresh_token":"r","token_type":"Bearer","expires_in":`+expires+`}`)
			connected, err := c.Exchange(t.Context(), "code", "verifier")
			if want := (Token{Access: "a", Refresh: "r", Expiry: want}); connected != want || err != nil {
				t.Errorf("exchange, expires_in %s as %q: %+v, %v", expires, contentType, connected, err)
			}
			refreshed, err := c.Refresh(t.Context(), "old")
			if refreshed != connected || err != nil {
				t.Errorf("refresh, expires_in %s as %q: %+v, %v", expires, contentType, refreshed, err)
			}
		}
	}
}

func TestTokenFieldsInOddShapes(t *testing.T) {
	for body, want := range map[string]Token{
		`{"access_token":"a"}`:                               {Access: "a", Refresh: "old"},
		`{"access_token":"a","refresh_token":null}`:          {Access: "a", Refresh: "old"},
		`{"access_token":"a","refresh_token":false}`:         {Access: "a", Refresh: "old"},
		`{"access_token":"a","refresh_token":{}}`:            {Access: "a", Refresh: "old"},
		`{"access_token":"a","token_type":7}`:                {Access: "a", Refresh: "old"},
		`{"access_token":12345,"refresh_token":6789}`:        {Access: "12345", Refresh: "6789"},
		`{"access_token":"a","id_token":{},"scope":["x"]}`:   {Access: "a", Refresh: "old"},
		`{"access_token":"a","refresh_token":"r","error":0}`: {Access: "a", Refresh: "r"},
	} {
		got, err := clientAnswering(t, 200, http.Header{"Content-Type": {"application/json"}}, body).Refresh(t.Context(), "old")
		if got != want || err != nil {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{`{"access_token":null}`, `{"access_token":true}`, `{"access_token":[]}`, `{}`, `[]`, ``, `{"access_token":"a"`} {
		got, err := clientAnswering(t, 200, http.Header{"Content-Type": {"application/json"}}, body).Refresh(t.Context(), "old")
		if got != (Token{}) || KindOf(err) != Lost {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

func FuzzNormalizeToken(f *testing.F) {
	f.Add([]byte(`{"access_token":"a","refresh_token":"r","expires_in":3600.0}`))
	f.Add([]byte(`{"access_token":1,"expires_in":"never"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		clean, ok := normalizeToken(body)
		if !ok {
			return
		}
		if again, ok := normalizeToken(clean); !ok || string(again) != string(clean) {
			t.Errorf("%q became %q, then %q", body, clean, again)
		}
	})
}
