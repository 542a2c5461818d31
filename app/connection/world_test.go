package connection_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

const public = "http://127.0.0.1:8080"

var ctx = context.Background()

// world is a real database and a real Dialpad sandbox over HTTP; the clock
// is stopped.
type world struct {
	*connection.Tokens
	*connection.Connector
	*connection.Connections
	eligible *eligibility.Checker
	t        *testing.T
	dsn      string
	db       *seed.DB
	clock    *seed.Clock
	sandbox  *sandbox.Sandbox
	server   *httptest.Server
	dp       *dialpad.Client
	tenant   models.Tenant
	admin    models.Session

	mu     sync.Mutex
	before func(r *http.Request) // sees each request on its way to Dialpad
}

type option func(*sandbox.Options, *dialpad.Config)

func each(t *testing.T, f func(t *testing.T, w *world), options ...option) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) { f(t, newWorld(t, dsn, options...)) })
}

func newWorld(t *testing.T, dsn string, options ...option) *world {
	w := &world{t: t, dsn: dsn, clock: seed.NewClock()}
	so := sandbox.Options{ClientID: "app", ClientSecret: "secret", RedirectURIs: []string{public + "/connect/callback"},
		Now: w.clock.Now, RequestsPerSecond: -1}
	dc := dialpad.Config{ClientID: "app", ClientSecret: "secret", RedirectURL: public + "/connect/callback",
		Scopes: []string{"offline_access", "change_log"}, Now: w.clock.Now}
	for _, o := range options {
		o(&so, &dc)
	}
	w.sandbox = sandbox.New(so)
	w.sandbox.SeedDemo()
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		before := w.before
		w.mu.Unlock()
		if before != nil {
			before(r)
		}
		w.sandbox.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() { w.server.Close(); w.sandbox.Close() })
	dc.BaseURL = w.server.URL
	w.dp = dialpad.New(dc)
	w.db = seed.Store(t, dsn, w.clock.Now)
	w.eligible = eligibility.New(w.db.Store, eligibility.Config{Plans: []string{"business", "enterprise"},
		AppPageURL: func(linkname string) string { return "http://" + linkname + ".localhost:8090/app" }})
	w.Tokens = w.newTokens(w.db.Store, nil)
	cfg := connection.Config{PublicURL: public, Now: w.clock.Now}
	w.Connector = connection.NewConnector(w.db.Store, w.dp, w.eligible, w.Tokens, cfg)
	w.Connections = connection.New(w.db.Store, w.dp, w.Tokens, cfg)
	w.tenant, w.admin = w.newTenant("t_9", "acme", "Acme Inc", "42", "ana@acme.com")
	return w
}

// on runs f before each request to Dialpad.
func (w *world) on(f func(r *http.Request)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = f
}

// newTokens returns the Tokens of another process.
func (w *world) newTokens(store *models.Store, sleep func(context.Context, time.Duration) error) *connection.Tokens {
	return connection.NewTokens(store, w.dp, connection.Config{Sleep: sleep, Now: w.clock.Now})
}

func (w *world) newTenant(id, linkname, name, userID, email string) (models.Tenant, models.Session) {
	w.t.Helper()
	t, err := w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: id, Linkname: linkname, Name: name, Plan: "business",
		TimeZone: "America/New_York", SignedAt: w.clock.Now()})
	must(w.t, err)
	must(w.t, w.db.Users.Save(ctx, id, []models.User{{UserID: userID, Email: email, Name: "Admin", Role: "admin", Active: true}}))
	_, err = w.db.Installations.Install(ctx, id, userID)
	must(w.t, err)
	return t, models.Session{TenantID: id, UserID: userID, Email: email, Role: "admin"}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ticket presses Connect.
func (w *world) ticket(t models.Tenant, s models.Session) string {
	w.t.Helper()
	address, refusal, err := w.Start(ctx, t, s)
	must(w.t, err)
	if refusal != nil {
		w.t.Fatalf("start: %v", refusal)
	}
	ticket, ok := strings.CutPrefix(address, public+"/connect?ticket=")
	if !ok {
		w.t.Fatalf("address %q", address)
	}
	return ticket
}

// consent opens the window in a browser, lets a Dialpad user allow it, and
// returns the callback.
func (w *world) consent(t models.Tenant, s models.Session, browser, dialpadUser string) connection.CallbackQuery {
	w.t.Helper()
	redirect, err := w.OpenWindow(ctx, w.ticket(t, s), browser)
	must(w.t, err)
	back, err := w.sandbox.Consent(redirect, dialpadUser)
	must(w.t, err)
	u, err := url.Parse(back)
	must(w.t, err)
	q := u.Query()
	return connection.CallbackQuery{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Browser: browser}
}

func (w *world) callback(q connection.CallbackQuery) connection.Result {
	w.t.Helper()
	out, err := w.Callback(ctx, q)
	must(w.t, err)
	return out
}

// connect confirms what the callback asks.
func (w *world) connect(q connection.CallbackQuery) connection.Result {
	w.t.Helper()
	out := w.callback(q)
	if out.Confirm == nil {
		return out
	}
	out, err := w.Confirm(ctx, out.Confirm.State, q.Browser)
	must(w.t, err)
	return out
}

// connected connects Ana's company, ready to text.
func (w *world) connected() *world {
	w.t.Helper()
	if out := w.connect(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID)); !out.Done {
		w.t.Fatalf("not connected: %+v", out)
	}
	w.finish("t_9")
	return w
}

// finish does what the job FinishConnect does, without the directory.
func (w *world) finish(tenantID string) {
	w.t.Helper()
	must(w.t, w.db.Connections.SetMoment(ctx, tenantID, models.DirectoryRead))
	_, err := w.Subscribe(ctx, tenantID)
	must(w.t, err)
	must(w.t, w.MarkReady(ctx, tenantID))
}

func (w *world) connection() models.Connection {
	w.t.Helper()
	c, err := w.db.Connections.Get(ctx, "t_9")
	must(w.t, err)
	return c
}

func (w *world) grant() models.Grant {
	w.t.Helper()
	g, err := w.db.Connections.OpenGrant(w.connection())
	must(w.t, err)
	return g
}

// requests counts requests to Dialpad by method and path prefix.
func (w *world) requests(method, path string) int {
	n := 0
	for _, r := range w.sandbox.Requests() {
		if r.Method == method && strings.HasPrefix(r.Path, path) {
			n++
		}
	}
	return n
}

// hooks describes all webhooks and subscriptions of Ana's company, as
// Dialpad lists them.
func (w *world) hooks(token string) string {
	w.t.Helper()
	var out []string
	hooks, err := w.dp.Webhooks(ctx, token)
	must(w.t, err)
	for _, h := range hooks {
		out = append(out, "hook "+h.URL)
	}
	sms, err := w.dp.SMSSubscriptions(ctx, token)
	must(w.t, err)
	for _, s := range sms {
		out = append(out, fmt.Sprintf("sms %s %s status=%v internal=%v", s.HookURL, s.Direction, s.Status, s.IncludeInternal))
	}
	changes, err := w.dp.ChangeLogSubscriptions(ctx, token)
	must(w.t, err)
	for _, s := range changes {
		out = append(out, "changes "+s.HookURL)
	}
	return strings.Join(out, "\n")
}
