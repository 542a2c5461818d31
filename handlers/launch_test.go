package handlers_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dialpad-texting/integrations/crm"
)

func TestALaunchOpensAPageForItsTenantAlone(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		path, use string
		about     *crm.LaunchTarget
		cookie    bool
	}{
		{"/embed/popup", crm.UsePopup, one("+14155550142"), false},
		{"/apps/dialpad", crm.UsePage, nil, true},
		{"/texts", crm.UsePage, nil, true},
	} {
		r := w.form(c.path, url.Values{"token": {w.token("acme", "42", c.use, c.about)}},
			header("Origin", acme), header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "navigate"))
		if len(r.session()) < 43 { // 256 bits
			t.Errorf("%s: the session token is short", c.path)
		}
		policy := r.header.Get("Content-Security-Policy")
		if !strings.HasSuffix(policy, "frame-ancestors "+acme) || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", c.path, policy)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": ""} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", c.path, name, got, want)
			}
		}
		got := r.header.Get("Set-Cookie")
		if (got != "") != c.cookie {
			t.Errorf("%s: cookie %q", c.path, got)
		}
		for _, option := range []string{"__Host-page=", "; Path=/;", "; Max-Age=28800;", "; HttpOnly", "; Secure", "; SameSite=None", "; Partitioned"} {
			if c.cookie && !strings.Contains(got, option) {
				t.Errorf("%s: the cookie %q lacks %q", c.path, got, option)
			}
		}
		if strings.Contains(got, "Domain") {
			t.Errorf("%s: the cookie names a domain: %q", c.path, got)
		}
	}
}

// claims are those of a good launch; each test spoils them.
func (w *world) claims(use string, about map[string]any) map[string]any {
	c := map[string]any{
		"iss": acme, "aud": "dialpad-texting", "sub": "42", "iat": w.clock.Now().Unix(), "exp": w.clock.Now().Add(time.Minute).Unix(),
		"jti": crm.NewID(), "use": use,
		"tenant": map[string]any{"id": "t_9", "linkname": "acme", "name": "Acme Inc", "plan": "business", "time_zone": "America/New_York"},
		"user":   map[string]any{"id": "42", "email": "ana@acme.com", "name": "Ana Ruiz", "role": "admin", "time_zone": "America/New_York", "locale": "en-US"},
	}
	if about != nil {
		c["ctx"] = about
	}
	return c
}

func (w *world) signed(claims map[string]any) string {
	w.t.Helper()
	token, err := w.secrets.SignClaims(claims)
	w.must(err)
	return token
}

func key(secret string) []byte {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		panic(err)
	}
	return b
}

func TestInvalidTokenGetsErrorPage(t *testing.T) {
	w := newWorld(t)
	about := map[string]any{"mode": "one", "module": "contact", "record_ids": []any{"7"}, "to_number": "+14155550142"}
	with := func(name string, value any) string {
		c := w.claims(crm.UsePopup, about)
		c[name] = value
		return w.signed(c)
	}
	by := func(method jwt.SigningMethod, key any) string {
		token, err := jwt.NewWithClaims(method, jwt.MapClaims(w.claims(crm.UsePopup, about))).SignedString(key)
		w.must(err)
		return token
	}
	good := w.signed(w.claims(crm.UsePopup, about))
	head, rest, _ := strings.Cut(good, ".")
	now := w.clock.Now()
	for name, token := range map[string]string{
		"none":             "",
		"garbage":          "not.a.token",
		"cut":              good[:len(good)-4],
		"another head":     head + "x." + rest,
		"alg none":         by(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"HS512":            by(jwt.SigningMethodHS512, key(secretNew)),
		"a stranger's key": by(jwt.SigningMethodHS256, key("whsec_"+keyOther)),
		"of a page":        w.token("acme", "42", crm.UsePage, nil),
		"expired":          with("exp", now.Add(-11*time.Second).Unix()),
		"too long":         with("exp", now.Add(121*time.Second).Unix()),
		"ahead":            with("iat", now.Add(11*time.Second).Unix()),
		"another audience": with("aud", "somebody"),
		"another issuer":   with("iss", "https://acme.salesmate.io"),
		"a path in iss":    with("iss", acme+"/"),
		"sub is not user":  with("sub", "43"),
		"no jti":           with("jti", nil),
		"no role":          with("user", map[string]any{"id": "42", "email": "a@acme.com", "name": "A", "time_zone": "UTC", "locale": "en"}),
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.form("/embed/popup", url.Values{"token": {token}}).plainPage(401)
		})
	}
	w.t = t
	w.form("/embed/popup", url.Values{"token": {good}}).session()
	w.form("/embed/popup", url.Values{"token": {good}}).plainPage(401) // its jti is used
}

func TestInvalidCtxIsABadRequest(t *testing.T) {
	w := newWorld(t)
	many := make([]any, 201)
	for i := range many {
		many[i] = i + 1
	}
	for name, about := range map[string]map[string]any{
		"no mode":      {"module": "contact", "record_ids": []any{"7"}, "to_number": "+14155550142"},
		"two records":  {"mode": "one", "module": "contact", "record_ids": []any{"7", "8"}, "to_number": "+14155550142"},
		"no number":    {"mode": "one", "module": "contact", "record_ids": []any{"7"}},
		"a company":    {"mode": "one", "module": "company", "record_ids": []any{"7"}, "to_number": "+14155550142"},
		"201 records":  {"mode": "bulk", "module": "contact", "record_ids": many},
		"no one":       {"mode": "bulk", "module": "contact", "record_ids": []any{}},
		"no count":     {"mode": "bulk", "module": "contact", "selection": "s"},
		"a wrong type": {"mode": "bulk", "module": "contact", "record_ids": "7"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.form("/embed/popup", url.Values{"token": {w.signed(w.claims(crm.UsePopup, about))}}).plainPage(400)
		})
	}
	w.t = t
	w.form("/embed/popup", url.Values{"token": {w.signed(w.claims(crm.UsePopup, nil))}}).plainPage(400)
}

func TestLaunchTokenIsReadFromTheBodyOnly(t *testing.T) {
	w := newWorld(t)
	token := w.token("acme", "42", crm.UsePage, nil)
	w.form("/apps/dialpad?token="+token, nil).plainPage(401)
	w.send("POST", "/apps/dialpad", strings.NewReader(`{"token":"`+token+`"}`), header("Content-Type", "application/json")).plainPage(401)
	w.form("/apps/dialpad", url.Values{"token": {token}, "padding": {strings.Repeat("x", 64<<10)}}).plainPage(413)
	w.form("/apps/dialpad", url.Values{"token": {token}}).session() // none of that used it up
}

// The link leads to the tenant that a launch came from, never out of the
// CRM's domain.
func TestErrorPageLinksToTheAppPage(t *testing.T) {
	w := newWorld(t)
	for origin, want := range map[string]string{
		acme:                                 `href="` + appPage + `"`,
		"":                                   `href="http://localhost:8090/apps/dialpad"`,
		"http://evil.example":                `href="http://localhost:8090/apps/dialpad"`,
		"http://evil.example.localhost:8090": `href="http://localhost:8090/apps/dialpad"`,
		"https://acme.localhost:8090":        `href="http://localhost:8090/apps/dialpad"`,
	} {
		r := w.form("/embed/popup", url.Values{"token": {"x"}}, header("Origin", origin)).plainPage(401)
		if !strings.Contains(r.body, want) {
			t.Errorf("from %q: no %s in %s", origin, want, r.body)
		}
	}
}

func TestIDsMayBeNumbers(t *testing.T) {
	w := newWorld(t)
	c := w.claims(crm.UsePopup, map[string]any{"mode": "one", "module": "contact", "record_ids": []any{7}, "to_number": "+14155550142"})
	c["sub"], c["user"].(map[string]any)["id"], c["tenant"].(map[string]any)["id"] = 42, 42, 9007199254740993
	session := w.form("/embed/popup", url.Values{"token": {w.signed(c)}}).session()
	got := w.call("GET", "/embed/api/context", session, nil).want(200, "")
	if got.text("to", "record_id") != "7" || got.text("state", "code") != "not_installed" {
		t.Errorf("context %s", got.body)
	}
	if _, err := w.db.Store.Tenants.Get(t.Context(), "9007199254740993"); err != nil {
		t.Errorf("the tenant's id lost digits: %v", err)
	}
}

func (r response) cookie() *http.Cookie {
	r.t.Helper()
	all := (&http.Response{Header: r.header}).Cookies()
	if len(all) != 1 {
		r.t.Fatalf("%s sets %d cookies", r.what, len(all))
	}
	return all[0]
}

func cookie(c *http.Cookie) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value}) }
}

func TestThePageCookieOpensPagesAndNothingElse(t *testing.T) {
	w := newWorld(t)
	launch := w.form("/texts", url.Values{"token": {w.token("acme", "42", crm.UsePage, nil)}})
	page := launch.cookie()
	for _, path := range []string{"/texts?state=done", "/apps/dialpad"} {
		r := w.send("GET", path, nil, cookie(page))
		if r.session() == launch.session() {
			t.Errorf("%s hands the old session out again", path)
		}
		if !strings.HasSuffix(r.header.Get("Content-Security-Policy"), "frame-ancestors "+acme) {
			t.Errorf("%s may be framed by %s", path, r.header.Get("Content-Security-Policy"))
		}
		w.call("GET", "/apps/dialpad/status", r.session(), nil).want(200, "")
	}
	w.send("GET", "/apps/dialpad/status", nil, cookie(page)).want(401, "session_over")
	w.call("GET", "/apps/dialpad/status", page.Value, nil).want(401, "session_over")
	w.send("GET", "/embed/popup", nil, cookie(page)).want(405, "method_not_allowed")

	w.send("GET", "/texts", nil).plainPage(401)
	w.send("GET", "/texts", nil, cookie(&http.Cookie{Name: page.Name, Value: page.Value + "x"})).plainPage(401)
	w.send("GET", "/texts", nil, cookie(&http.Cookie{Name: page.Name, Value: launch.session()})).plainPage(401)
	w.clock.Add(9 * time.Hour)
	w.send("GET", "/texts", nil, cookie(page)).plainPage(401)
}

func TestSessionKeysRotate(t *testing.T) {
	w := newWorld(t, func(o *setup) { o.sessionKeys = keyOld })
	made := w.form("/texts", url.Values{"token": {w.token("acme", "42", crm.UsePage, nil)}}).cookie()
	for keys, status := range map[string]int{keyNew + "," + keyOld: 200, keyNew: 401} {
		cfg := w.deps.Config
		w.must(cfg.SessionKeys.UnmarshalText([]byte(keys)))
		w.handler = w.newHandler(cfg)
		if r := w.send("GET", "/texts", nil, cookie(made)); r.status != status {
			t.Errorf("with other keys (%d of them): %d, want %d", len(cfg.SessionKeys.List()), r.status, status)
		}
	}
}

func TestSessionIsRenewedForTheSamePersonOnly(t *testing.T) {
	w := newWorld(t)
	about := one("+14155550142")
	session := w.popup("acme", "42", about)
	renew := func(session, token string) response {
		return w.call("POST", "/embed/api/session", session, map[string]any{"token": token})
	}
	r := renew(session, w.token("acme", "42", crm.UsePopup, about)).want(200, "")
	if at, err := time.Parse(time.RFC3339, r.text("expires_at")); err != nil || !at.Equal(w.clock.Now().Add(15*time.Minute)) {
		t.Errorf("expires_at %q", r.text("expires_at"))
	}
	fresh := r.text("session_token")
	w.call("GET", "/embed/api/context", fresh, nil).want(200, "")

	renew(session, w.token("acme", "43", crm.UsePopup, about)).want(401, "launch_refused")
	renew(session, w.token("globex", "51", crm.UsePopup, about)).want(401, "launch_refused")
	renew(session, w.token("acme", "42", crm.UsePopup, one("+14155550143"))).want(401, "launch_refused")
	renew(session, w.token("acme", "42", crm.UsePage, nil)).want(401, "launch_refused")
	used := w.token("acme", "42", crm.UsePopup, about)
	renew(session, used).want(200, "")
	renew(session, used).want(401, "launch_refused")
	renew("nobody", w.token("acme", "42", crm.UsePopup, about)).want(401, "session_over")
	w.send("POST", "/embed/api/session", strings.NewReader(`{"token":"x"}`), header("Content-Type", "application/json")).want(401, "session_over")
	w.call("POST", "/embed/api/session", session, `{"token":"x","for":"me"}`).want(400, "bad_request")

	w.clock.Add(16 * time.Minute)
	w.call("GET", "/embed/api/context", fresh, nil).want(401, "session_over")
	renew(fresh, w.token("acme", "42", crm.UsePopup, about)).want(200, "")
	w.clock.Add(8 * time.Hour)
	renew(fresh, w.token("acme", "42", crm.UsePopup, about)).want(401, "session_over")
}
