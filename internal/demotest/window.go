package demotest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// Window is the browser window in which Dialpad is connected. It has its own
// cookies and follows no redirect.
type Window struct {
	d      *Demo
	client *http.Client
}

// ConnectWindow opens an empty window.
func (d *Demo) ConnectWindow() *Window {
	jar, err := cookiejar.New(nil)
	d.Must(err)
	return &Window{d: d, client: &http.Client{Jar: secureJar{jar}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// secureJar keeps Secure cookies on loopback http, as Chromium and Firefox do
// and Go does not.
type secureJar struct{ http.CookieJar }

func (j secureJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(asHTTPS(u), cookies)
}

func (j secureJar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(asHTTPS(u)) }

func asHTTPS(u *url.URL) *url.URL {
	s := *u
	s.Scheme = "https"
	return &s
}

// Consent opens connectURL, allows access as a Dialpad user, and returns the
// page that the callback answers.
func (w *Window) Consent(connectURL, dialpadUser string) (status int, body string) {
	w.d.T.Helper()
	r, err := w.client.Get(connectURL)
	w.d.Must(err)
	body = Read(r)
	if r.StatusCode != http.StatusFound {
		w.d.T.Fatalf("connect: %d %s", r.StatusCode, body)
	}
	callback, err := w.d.DialpadSandbox.Consent(r.Header.Get("Location"), dialpadUser)
	w.d.Must(err)
	r, err = w.client.Get(callback)
	w.d.Must(err)
	return r.StatusCode, Read(r)
}

// Confirm submits the confirmation page that the callback answered.
func (w *Window) Confirm(page string) *http.Response {
	w.d.T.Helper()
	state := regexp.MustCompile(`name="state" value="([^"]+)"`).FindStringSubmatch(page)
	if state == nil {
		w.d.T.Fatalf("no state in the page: %s", page)
	}
	form := url.Values{"state": {state[1]}, "action": {"connect"}}
	r, err := http.NewRequest(http.MethodPost, w.d.AppURL+"/connect/confirm", strings.NewReader(form.Encode()))
	w.d.Must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := w.client.Do(r)
	w.d.Must(err)
	return res
}
