package sandbox

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
)

const testSecret = "whsec_c2FuZGJveC1zZWNyZXQtb25lLTI0Ynl0"

// fakeClock is a manual clock.
type fakeClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *fakeClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a sandbox behind a server, and a client like the app's.
type world struct {
	*Sandbox
	server *httptest.Server
	client *crm.Client
	clock  *fakeClock
	acme   crm.Tenant
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	secrets, err := crm.ParseSecrets(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	clock := &fakeClock{at: time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)}
	o := Options{AppURL: "http://127.0.0.1:1", Domain: "localhost:8090", Secrets: secrets, Now: clock.now}
	for _, c := range change {
		c(&o)
	}
	w := &world{Sandbox: New(o), clock: clock}
	w.server = httptest.NewServer(w.Sandbox)
	t.Cleanup(w.server.Close)
	w.client = crm.New(w.server.URL+"/{linkname}", secrets, nil, clock.now)
	w.acme = w.Tenant("acme")
	return w
}

// browse requests a page of Acme by host name, like a browser.
func (w *world) browse(t *testing.T, method, path, cookie string, form url.Values) (*http.Response, string) {
	t.Helper()
	return w.send(t, method, "acme.localhost:8090", path, func(r *http.Request) {
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}, form.Encode())
}

func (w *world) send(t *testing.T, method, host, path string, dress func(*http.Request), body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	dress(r)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(answer)
}

// app is a fake app that verifies every call and answers by path.
type app struct {
	mu    sync.Mutex
	calls []crm.Call
}

func newApp(t *testing.T, now func() time.Time, answers map[string]string) (*app, string) {
	t.Helper()
	secrets, err := crm.ParseSecrets(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _, err := secrets.Verify(r.Header, body, now())
		call, perr := crm.ParseCall(body)
		answer, known := answers[r.URL.Path]
		if err != nil || perr != nil || !known {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		a.mu.Lock()
		a.calls = append(a.calls, call)
		a.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return a, server.URL
}

func (a *app) seen() []crm.Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]crm.Call(nil), a.calls...)
}
