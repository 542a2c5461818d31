package install_test

import (
	"context"
	"net/http/httptest"
	"net/url"
	"testing"

	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/install"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

const public = "http://127.0.0.1:8080"

var ctx = context.Background()

// world is a tenant with the app installed, over a real database and a
// Dialpad sandbox; the clock is stopped.
type world struct {
	*install.Installer
	t           *testing.T
	db          *seed.DB
	clock       *seed.Clock
	sandbox     *sandbox.Sandbox
	eligible    *eligibility.Checker
	tokens      *connection.Tokens
	connector   *connection.Connector
	connections *connection.Connections
	tenant      models.Tenant
	admin       models.Session
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) { f(t, newWorld(t, dsn)) })
}

func newSQLite(t *testing.T) *world { return newWorld(t, modeltest.SQLite(t, seed.Migrate)) }

func newWorld(t *testing.T, dsn string) *world {
	w := &world{t: t, clock: seed.NewClock(), admin: models.Session{TenantID: "t_9", UserID: "42", Email: "ana@acme.com", Role: "admin"}}
	w.sandbox = sandbox.New(sandbox.Options{ClientID: "app", ClientSecret: "secret", RedirectURIs: []string{public + "/connect/callback"},
		Now: w.clock.Now, RequestsPerSecond: -1})
	w.sandbox.SeedDemo()
	server := httptest.NewServer(w.sandbox)
	t.Cleanup(func() { server.Close(); w.sandbox.Close() })
	dp := dialpad.New(dialpad.Config{BaseURL: server.URL, ClientID: "app", ClientSecret: "secret", RedirectURL: public + "/connect/callback",
		Scopes: []string{"offline_access", "change_log"}, Now: w.clock.Now})
	w.db = seed.Store(t, dsn, w.clock.Now)
	w.eligible = eligibility.New(w.db.Store, eligibility.Config{Plans: []string{"business", "enterprise"},
		AppPageURL: func(linkname string) string { return "http://" + linkname + ".localhost:8090/app" }})
	cfg := connection.Config{PublicURL: public, Now: w.clock.Now}
	w.tokens = connection.NewTokens(w.db.Store, dp, cfg)
	w.connector = connection.NewConnector(w.db.Store, dp, w.eligible, w.tokens, cfg)
	w.connections = connection.New(w.db.Store, dp, w.tokens, cfg)
	w.Installer = install.New(w.db.Store, w.eligible, w.connections, w.clock.Now)

	var err error
	w.tenant, err = w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "business",
		TimeZone: "America/New_York", SignedAt: w.clock.Now()})
	must(t, err)
	must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Name: "Admin", Role: "admin", Active: true}}))
	if refusal, err := w.Install(ctx, w.tenant, "42"); err != nil || refusal != nil {
		t.Fatalf("install: %v %v", refusal, err)
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connected connects Acme's Dialpad, ready to text.
func (w *world) connected() *world {
	w.t.Helper()
	address, _, err := w.connector.Start(ctx, w.tenant, w.admin)
	must(w.t, err)
	redirect, err := w.connector.OpenWindow(ctx, query(w.t, address).Get("ticket"), "browser")
	must(w.t, err)
	back, err := w.sandbox.Consent(redirect, sandbox.AnaID)
	must(w.t, err)
	q := query(w.t, back)
	out, err := w.connector.Callback(ctx, connection.CallbackQuery{State: q.Get("state"), Code: q.Get("code"), Browser: "browser"})
	must(w.t, err)
	out, err = w.connector.Confirm(ctx, out.Confirm.State, "browser")
	if err != nil || !out.Done {
		w.t.Fatalf("not connected: %+v %v", out, err)
	}
	must(w.t, w.db.Connections.SetMoment(ctx, "t_9", models.DirectoryRead))
	_, err = w.connections.Subscribe(ctx, "t_9")
	must(w.t, err)
	must(w.t, w.connections.MarkReady(ctx, "t_9"))
	return w
}

func query(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u.Query()
}
