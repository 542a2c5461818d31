package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/modeltest"
)

// world is the demo on free ports: the real program with both sandboxes, over real HTTP.
type world struct {
	*demoWorld
	t testing.TB
}

// startWorld boots it on a database of its own and stops it with the test; the stop must be clean.
func startWorld(t testing.TB, dsn string) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d, err := newDemo(ctx, demoOptions{dir: t.TempDir(), app: "127.0.0.1:0", crm: "127.0.0.1:0", phone: "127.0.0.1:0",
		databaseURL: dsn, logLevel: "error"}, newLog("error", t.Output()))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the program did not stop cleanly: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the program did not stop")
		}
	})
	w := &world{demoWorld: d, t: t}
	w.until("the app answers", w.ready)
	return w
}

// ready asks the app whether database, schema and worker are there.
func (w *world) ready() bool {
	r, err := http.Get(w.appURL + "/readyz")
	if err != nil {
		return false
	}
	_ = r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// onBoth runs a story on SQLite and on Postgres.
func onBoth(t *testing.T, story func(w *world)) {
	t.Helper()
	modeltest.Each(t, nil, func(t *testing.T, dsn string) { story(startWorld(t, dsn)) })
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// until waits for a condition.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("never: %s", what)
		}
	}
}

// page is an open page of the app, with its session.
type page struct {
	w     *world
	token string
	html  string
}

var sessionToken = regexp.MustCompile(`<meta name="session-token" content="([^"]+)">`)

// launch opens a page as the CRM does: a form POST with a fresh token.
func (w *world) launch(tenant, user, address, use string, ctx *crm.Ctx) *page {
	w.t.Helper()
	token, err := w.crmSandbox.Token(tenant, user, use, ctx)
	w.must(err)
	r, err := http.PostForm(w.appURL+address, url.Values{"token": {token}})
	w.must(err)
	body := read(r)
	found := sessionToken.FindStringSubmatch(body)
	if r.StatusCode != http.StatusOK || found == nil {
		w.t.Fatalf("launch %s: %d %s", address, r.StatusCode, body)
	}
	return &page{w: w, token: found[1], html: body}
}

func (w *world) appPage(tenant, user string) *page {
	w.t.Helper()
	return w.launch(tenant, user, "/apps/dialpad", crm.UsePage, nil)
}

func (w *world) popup(user string, ctx crm.Ctx) *page {
	w.t.Helper()
	return w.launch("acme", user, "/embed/popup", crm.UsePopup, &ctx)
}

func read(r *http.Response) string {
	defer func() { _ = r.Body.Close() }()
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

// answer is a JSON answer.
type answer struct {
	status int
	body   string
	json   map[string]any
}

// at walks into the JSON: "batch.counts.sent".
func (a answer) at(path string) any {
	var v any = a.json
	for _, key := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func (a answer) text(path string) string { s, _ := a.at(path).(string); return s }

func (p *page) do(method, path string, body any, headers ...string) answer {
	p.w.t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		p.w.must(err)
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, p.w.appURL+path, in)
	p.w.must(err)
	r.Header.Set("Authorization", "Bearer "+p.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	p.w.must(err)
	a := answer{status: res.StatusCode, body: read(res)}
	_ = json.Unmarshal([]byte(a.body), &a.json)
	return a
}

func (p *page) get(path string) answer { p.w.t.Helper(); return p.do(http.MethodGet, path, nil) }

func (p *page) post(path string, body any, headers ...string) answer {
	p.w.t.Helper()
	if body == nil {
		body = map[string]any{}
	}
	return p.do(http.MethodPost, path, body, headers...)
}

// window is the browser window that goes to Dialpad: its own cookies, redirects by hand.
type window struct {
	w      *world
	client *http.Client
}

func (w *world) window() *window {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &window{w: w, client: &http.Client{Jar: secureJar{jar}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// secureJar keeps Secure cookies on loopback http, as Chromium and Firefox do and Go does not.
type secureJar struct{ http.CookieJar }

func (j secureJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	s := *u
	s.Scheme = "https"
	j.CookieJar.SetCookies(&s, cookies)
}

func (j secureJar) Cookies(u *url.URL) []*http.Cookie {
	s := *u
	s.Scheme = "https"
	return j.CookieJar.Cookies(&s)
}

// consent opens the connect window and allows as a Dialpad user; it returns the page that the callback shows.
func (v *window) consent(connectURL, dialpadUser string) (status int, body string) {
	v.w.t.Helper()
	r, err := v.client.Get(connectURL)
	v.w.must(err)
	body = read(r)
	if r.StatusCode != http.StatusFound {
		v.w.t.Fatalf("connect: %d %s", r.StatusCode, body)
	}
	callback, err := v.w.dialpadSandbox.Consent(r.Header.Get("Location"), dialpadUser)
	v.w.must(err)
	r, err = v.client.Get(callback)
	v.w.must(err)
	return r.StatusCode, read(r)
}

// connected installs and connects Acme.
func (w *world) connected() *page {
	w.t.Helper()
	p := w.appPage("acme", "42")
	if a := p.post("/apps/dialpad/install", nil); a.status != http.StatusCreated {
		w.t.Fatalf("install: %d %s", a.status, a.body)
	}
	if status, body := w.window().consent(p.post("/apps/dialpad/connect", nil).text("url"), dialpadsandbox.AnaID); status != http.StatusOK {
		w.t.Fatalf("callback: %d %s", status, body)
	}
	w.until("connected", func() bool { return p.get("/apps/dialpad/status").at("connected") == true })
	return p
}

// fast lets texts go as fast as the settings allow.
func (w *world) fast(p *page) {
	w.t.Helper()
	w.dialpadSandbox.SetTextsPerMinute(dialpadsandbox.AcmeID, 0)
	if a := p.do(http.MethodPut, "/apps/dialpad/settings", map[string]any{"rate_per_minute": 800}); a.status != http.StatusOK {
		w.t.Fatalf("settings: %d %s", a.status, a.body)
	}
}

func bob() crm.Ctx {
	return crm.Ctx{Mode: "one", Module: "contact", RecordIDs: []string{"7"}, ToNumber: "+14155550142"}
}

// confirm presses the button of a confirmation page.
func (v *window) confirm(body string) *http.Response {
	v.w.t.Helper()
	state := regexp.MustCompile(`name="state" value="([^"]+)"`).FindStringSubmatch(body)
	if state == nil {
		v.w.t.Fatalf("no state in the page: %s", body)
	}
	r, err := http.NewRequest(http.MethodPost, v.w.appURL+"/connect/confirm", strings.NewReader(url.Values{"state": {state[1]}, "action": {"connect"}}.Encode()))
	v.w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := v.client.Do(r)
	v.w.must(err)
	return res
}
