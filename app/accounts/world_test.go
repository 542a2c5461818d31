package accounts_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/connection"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

var ctx = context.Background()

// world has a real database and a real Dialpad sandbox over HTTP, with Acme
// connected as Ana; the clock is stopped.
type world struct {
	*accounts.Accounts
	t       *testing.T
	db      *seed.DB
	clock   *seed.Clock
	sandbox *sandbox.Sandbox
	dp      *dialpad.Client
	crm     *crmUsers

	mu     sync.Mutex
	before func(r *http.Request)
}

// crmUsers answers users.list with pages of its own making.
type crmUsers struct {
	pages map[string]crm.UserPage
	asked []crm.Tenant
}

func (c *crmUsers) Users(_ context.Context, t crm.Tenant, cursor string) (crm.UserPage, error) {
	c.asked = append(c.asked, t)
	page, ok := c.pages[cursor]
	if !ok {
		return page, fmt.Errorf("no page %q", cursor)
	}
	return page, nil
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) { f(t, newWorld(t, dsn)) })
}

func newWorld(t *testing.T, dsn string) *world {
	w := &world{t: t, clock: seed.NewClock(), crm: &crmUsers{pages: map[string]crm.UserPage{}}}
	w.sandbox = sandbox.New(sandbox.Options{Now: w.clock.Now, RequestsPerSecond: -1})
	w.sandbox.SeedDemo()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		before := w.before
		w.mu.Unlock()
		if before != nil {
			before(r)
		}
		w.sandbox.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() { server.Close(); w.sandbox.Close() })
	w.dp = dialpad.New(dialpad.Config{BaseURL: server.URL, Now: w.clock.Now})
	w.db = seed.Store(t, dsn, w.clock.Now)
	w.db.Tenant("t_9")
	_, err := w.db.Installations.Install(ctx, "t_9", "42")
	must(t, err)
	w.connect(sandbox.AcmeID, sandbox.AnaID)
	tokens := connection.NewTokens(w.db.Store, w.dp, connection.Config{Now: w.clock.Now})
	w.Accounts = accounts.New(w.db.Store, w.dp, tokens, w.crm, nil, nil)
	return w
}

func (w *world) connect(company, user string) {
	w.t.Helper()
	_, err := w.db.Connections.Save(ctx, models.NewConnection{TenantID: "t_9", CompanyID: company, CompanyName: "Acme Inc", DialpadUserID: user,
		ConnectedBy: "ana@acme.com", Grant: models.Grant{Access: w.sandbox.IssueToken(user, "change_log")}})
	must(w.t, err)
}

func (w *world) on(f func(r *http.Request)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) sync() accounts.Counts {
	w.t.Helper()
	c, err := w.SyncDirectory(ctx, "t_9")
	must(w.t, err)
	return c
}

func (w *world) account(id string) models.Account {
	w.t.Helper()
	a, err := w.db.Accounts.Get(ctx, "t_9", id)
	must(w.t, err)
	return a
}

func (w *world) requests(path string) int {
	n := 0
	for _, r := range w.sandbox.Requests() {
		if strings.HasPrefix(r.Path, path) {
			n++
		}
	}
	return n
}

func (w *world) changes() []map[string]string {
	w.t.Helper()
	all, err := w.db.Audits.List(ctx, "t_9", 100)
	must(w.t, err)
	var out []map[string]string
	for _, a := range all {
		if a.Action == "account.changed" {
			out = append(out, a.Detail)
		}
	}
	return out
}
