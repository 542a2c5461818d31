// Package apptest is a test world: the packages that prepare and send
// texts, between a real database and a CRM sandbox over HTTP. Only
// tests import it.
package apptest

import (
	"context"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/outbox"
	"dialpad-texting/app/popup"
	"dialpad-texting/app/templates"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// The tenant, its company and one contact's number.
const (
	Acme    = "t_9"
	Company = "4508591728425653"
	Bob     = "+14155550142" // contact 7
)

// Secret signs calls between the app and the CRM sandbox.
const Secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" //nolint:gosec // a secret of tests

// Ctx is the context of a test.
var Ctx = context.Background()

// World is one tenant's. Its clock is stopped; tests move it.
type World struct {
	Services
	T        testing.TB
	Clock    *seed.Clock
	DB       *seed.DB
	Host     *crmsandbox.Sandbox
	CRM      *CRM
	Eligible *eligibility.Checker
	Tokens   *connection.Tokens
	Tenant   *seed.Tenant
	Notified atomic.Int64
	Lane     ledger.Lane // once it was due
}

// Services are the packages under test.
type Services struct {
	*audience.Audience
	*batch.Batches
	*outbox.Outbox
	*popup.Popup
	CRMTemplates *templates.Templates
}

// Texts is what automation needs of them.
func (s Services) Texts() automation.Texts {
	return automation.Texts{Templates: s.CRMTemplates, Audience: s.Audience, Batches: s.Batches}
}

// Client is what the services ask the CRM.
type Client interface {
	audience.CRM
	templates.CRM
}

// CRM is a client that can be stopped before each page of records.
type CRM struct {
	*crm.Client
	Before func() error // an error is the answer; may be nil
}

// ResolveRecords calls Before, then the CRM.
func (c *CRM) ResolveRecords(ctx context.Context, t crm.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	if c.Before != nil {
		if err := c.Before(); err != nil {
			return crm.Records{}, err
		}
	}
	return c.Client.ResolveRecords(ctx, t, q)
}

// Each runs a test once per database.
func Each(t *testing.T, f func(t *testing.T, w *World)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) { f(t, New(t, dsn)) })
}

// New returns a world in a migrated database.
func New(t testing.TB, dsn string) *World {
	w := &World{T: t, Clock: seed.NewClock()}
	secrets, err := crm.ParseSecrets(Secret)
	Must(t, err)
	w.Host = crmsandbox.New(crmsandbox.Options{Secrets: secrets, Domain: "localhost:8090", Now: w.Clock.Now})
	host := httptest.NewServer(w.Host)
	t.Cleanup(host.Close)
	w.CRM = &CRM{Client: crm.New(host.URL+"/{linkname}", secrets, nil, w.Clock.Now)}
	w.DB = seed.Store(t, dsn, w.Clock.Now)
	w.Tokens = connection.NewTokens(w.DB.Store, nil, connection.Config{Now: w.Clock.Now})
	w.Eligible = eligibility.New(w.DB.Store, eligibility.Config{Plans: []string{"business", "enterprise"},
		AppPageURL: func(linkname string) string { return "http://" + linkname + ".localhost:8090/app" }})
	w.Services = w.Process(w.CRM, nil)
	w.Tenant = w.DB.Tenant(Acme)
	for _, a := range users {
		w.SaveUser(a.UserID, a.Email, true)
	}
	w.SetPlan("business")
	w.Tenant.Connected(Company).Rate(100).Account("1", "ana@acme.com", "+14155550100").Account("2", "ben@acme.com", "+14155550101").
		Account("4", "dan@acme.com", "")
	return w
}

// Process returns the services as another process of the fleet has
// them.
func (w *World) Process(c Client, refreshOptOuts func(context.Context, string) error) Services {
	notify := func() { w.Notified.Add(1) }
	return NewServices(w.DB.Store, c, w.Eligible, audience.Config{Now: w.Clock.Now, Notify: notify, RefreshOptOuts: refreshOptOuts})
}

// NewServices wires the services, without limits by the hour.
func NewServices(store *models.Store, c Client, m *eligibility.Checker, cfg audience.Config) Services {
	return NewLimitedServices(store, c, m, cfg, batch.Config{})
}

// NewLimitedServices wires the services with the limits of a batch.Config.
func NewLimitedServices(store *models.Store, c Client, m *eligibility.Checker, cfg audience.Config, limits batch.Config) Services {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = Discard
	}
	tpl := templates.New(c, cfg.Now)
	aud := audience.New(store, c, tpl, m, cfg)
	limits.Now, limits.Log, limits.Notify = cfg.Now, cfg.Log, cfg.Notify
	batches := batch.New(store, aud, tpl, m, limits)
	box := outbox.New(store, aud, batches, cfg.Now, cfg.Log)
	return Services{aud, batches, box, popup.New(store, tpl, aud, box, m, cfg.Log), tpl}
}
