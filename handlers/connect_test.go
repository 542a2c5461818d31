package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
)

// window opens the connect window and gives Dialpad's consent page and the
// window's cookie.
func (w *world) window(page string) (consent string, browser *http.Cookie) {
	w.t.Helper()
	address := w.call("POST", "/apps/dialpad/connect", page, nil).want(200, "").text("url")
	ticket, ours := strings.CutPrefix(address, w.app.URL)
	if !ours || !strings.HasPrefix(ticket, "/connect?ticket=") {
		w.t.Fatalf("the window's address is %q", address)
	}
	r := w.send("GET", ticket, nil).want(302, "")
	return r.header.Get("Location"), r.cookie()
}

// back approves as a Dialpad user and returns the address that Dialpad
// redirects to.
func (w *world) back(consent, dialpadUser string) string {
	w.t.Helper()
	address, err := w.dialpad.Consent(consent, dialpadUser)
	w.must(err)
	return strings.TrimPrefix(address, w.app.URL)
}

// consent goes through the whole window.
func (w *world) consent(page, dialpadUser string) response {
	w.t.Helper()
	address, browser := w.window(page)
	return w.send("GET", w.back(address, dialpadUser), nil, cookie(browser))
}

// connect goes through the whole window and confirms.
func (w *world) connect(page, dialpadUser string) response {
	w.t.Helper()
	address, browser := w.window(page)
	return w.confirm(w.send("GET", w.back(address, dialpadUser), nil, cookie(browser)).want(200, ""), browser)
}

// confirm presses the button of a confirmation page.
func (w *world) confirm(question response, browser *http.Cookie) response {
	w.t.Helper()
	found := stateInput.FindStringSubmatch(question.body)
	if found == nil {
		w.t.Fatalf("no question: %s", question.body)
	}
	return w.form("/connect/confirm", url.Values{"state": {found[1]}, "action": {"connect"}}, cookie(browser), header("Sec-Fetch-Site", "same-origin"))
}

func (w *world) noConnection() {
	w.t.Helper()
	if c, err := w.db.Connections.Get(context.Background(), "t_9"); !errors.Is(err, models.ErrNotFound) {
		w.t.Errorf("there is a connection %s, %v", c.State, err)
	}
}

func TestCallbackNeedsTheSameBrowser(t *testing.T) {
	w := newWorld(t)
	page := w.page("acme", "42")
	w.call("POST", "/apps/dialpad/install", page, nil).want(201, "")
	consent, browser := w.window(page)
	if set := browser; set.Name != "__Host-connect" || !set.Secure || !set.HttpOnly || set.SameSite != http.SameSiteLaxMode || set.Path != "/" {
		t.Errorf("the cookie %s", set)
	}
	if q := mustURL(t, consent).Query(); q.Get("code_challenge_method") != "S256" || q.Get("state") == "" {
		t.Errorf("consent asked for by %s", consent)
	}
	back := w.back(consent, dialpadsandbox.AnaID)
	r := w.send("GET", back, nil).want(400, "") // the address, in somebody else's browser
	if !strings.Contains(r.body, "another browser") || r.header.Get("Content-Security-Policy") == "" {
		t.Errorf("no word on the browser: %s", r.body)
	}
	w.noConnection()
	r = w.send("GET", back, nil, cookie(browser)).want(200, "")
	if !strings.HasSuffix(r.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || !strings.Contains(r.body, "Acme Inc") {
		t.Errorf("policy %q, page %s", r.header.Get("Content-Security-Policy"), r.body)
	}
	w.noConnection()
	w.confirm(r, browser).want(200, "")
	status := w.call("GET", "/apps/dialpad/status", page, nil).want(200, "")
	if status.text("connection", "company") != "Acme Inc" || status.at("connected") != false {
		t.Errorf("status %s", status.body)
	}
	w.finish("t_9")
	if status := w.call("GET", "/apps/dialpad/status", page, nil).want(200, ""); status.at("connected") != true || status.at("state") != nil {
		t.Errorf("status %s", status.body)
	}
}

func mustURL(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestATicketWorksOnce(t *testing.T) {
	w := newWorld(t)
	page := w.page("acme", "42")
	w.call("POST", "/apps/dialpad/connect", page, nil).want(409, "not_installed")
	w.call("POST", "/apps/dialpad/install", page, "{}").want(201, "")
	ticket := strings.TrimPrefix(w.call("POST", "/apps/dialpad/connect", page, nil).want(200, "").text("url"), w.app.URL)
	w.send("HEAD", ticket, nil).want(405, "") // a chat that previews links does not use it up
	w.send("GET", ticket, nil).want(302, "")
	w.send("GET", ticket, nil).want(400, "")
	w.send("GET", "/connect?ticket=nobody", nil).want(400, "")
	w.send("GET", "/connect", nil).want(400, "")
	w.send("GET", "/connect?ticket=%00", nil).plainPage(400)
}

// One browser, two tenants' windows: the second must not break the first.
func TestOneBrowserMayHaveTwoWindows(t *testing.T) {
	w := newWorld(t)
	page := w.page("acme", "42")
	w.call("POST", "/apps/dialpad/install", page, nil).want(201, "")
	consent, browser := w.window(page)
	w.crm.SetPlan("globex", "business")
	other := w.page("globex", "51")
	w.call("POST", "/apps/dialpad/install", other, nil).want(201, "")
	second := strings.TrimPrefix(w.call("POST", "/apps/dialpad/connect", other, nil).want(200, "").text("url"), w.app.URL)
	latest := w.send("GET", second, nil, cookie(browser)).want(302, "").cookie()
	w.send("GET", w.back(consent, dialpadsandbox.AnaID), nil, cookie(latest)).want(200, "")
}

var stateInput = regexp.MustCompile(`name="state" value="([^"]+)"`)

func TestConsentIsConfirmedFirst(t *testing.T) {
	for _, c := range []struct {
		action  string
		user    string
		company string
		status  int
		stored  bool
	}{
		{"connect", dialpadsandbox.AnaID, "Acme Inc", 200, true}, {"connect", dialpadsandbox.GilID, "Globex", 200, true},
		{"cancel", dialpadsandbox.GilID, "Globex", 400, false},
	} {
		t.Run(c.action+" "+c.company, func(t *testing.T) {
			w := newWorld(t)
			page := w.page("acme", "42")
			w.call("POST", "/apps/dialpad/install", page, nil).want(201, "")
			consent, browser := w.window(page)
			r := w.send("GET", w.back(consent, c.user), nil, cookie(browser)).want(200, "")
			found := stateInput.FindStringSubmatch(r.body)
			if found == nil || !strings.Contains(r.body, "Connect <bdi>"+c.company+"</bdi> to <bdi>Acme Inc</bdi>") || !strings.Contains(r.body, ">acme."+crmDomain+"</bdi>") {
				t.Fatalf("not asked: %s", r.body)
			}
			w.noConnection()
			answer := url.Values{"state": {found[1]}, "action": {c.action}}
			w.form("/connect/confirm", answer).want(400, "") // no cookie
			w.form("/connect/confirm", answer, cookie(browser), header("Sec-Fetch-Site", "cross-site")).want(403, "cross_origin")
			w.form("/connect/confirm", url.Values{"state": {found[1]}, "action": {"perhaps"}}, cookie(browser)).plainPage(400)
			w.noConnection()
			w.form("/connect/confirm", answer, cookie(browser), header("Sec-Fetch-Site", "same-origin")).want(c.status, "")
			if _, err := w.db.Connections.Get(t.Context(), "t_9"); (err == nil) != c.stored {
				t.Errorf("stored: %v, want %v", err == nil, c.stored)
			}
			w.form("/connect/confirm", answer, cookie(browser)).want(map[bool]int{true: 200, false: 400}[c.stored], "") // loaded again
		})
	}
}

func TestRefusedConsentStoresNothing(t *testing.T) {
	w := newWorld(t)
	page := w.page("acme", "42")
	w.call("POST", "/apps/dialpad/install", page, nil).want(201, "")
	consent, browser := w.window(page)
	state := mustURL(t, consent).Query().Get("state")
	r := w.send("GET", "/connect/callback?error=access_denied&state="+state, nil, cookie(browser)).want(400, "")
	if !strings.Contains(r.body, "not allowed in Dialpad") || !strings.Contains(r.body, appPage) {
		t.Errorf("page %s", r.body)
	}
	w.noConnection()
	if status := w.call("GET", "/apps/dialpad/status", page, nil).want(200, ""); status.text("attempt", "code") != "refused" {
		t.Errorf("status %s", status.body)
	}
	w.consent(page, dialpadsandbox.BenID).want(400, "") // no company admin
	w.noConnection()
}
