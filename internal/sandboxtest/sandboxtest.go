// Package sandboxtest sets up a store, a CRM sandbox and a Dialpad sandbox
// for tests of the app packages.
package sandboxtest

import (
	"context"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

// Clock runs, and can be moved forward. Safe for concurrent use.
type Clock struct{ ahead atomic.Int64 }

// Now returns the clock's time.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Add moves the clock forward by d.
func (c *Clock) Add(d time.Duration) { c.ahead.Add(int64(d)) }

// World is a store and two sandboxes. The tenant t_9 is Acme of
// the CRM sandbox, with the account of the Dialpad sandbox's Acme.
type World struct {
	Clock   *Clock
	DB      *seed.DB
	CRM     *crmsandbox.Sandbox
	Dialpad *sandbox.Sandbox

	CRMClient     *crm.Client
	DialpadClient *dialpad.Client
}

// New returns a World over a migrated database. redirectURL is the address
// that Dialpad's consent returns to; tests without a consent
// leave it empty.
func New(t testing.TB, dsn, redirectURL string) *World {
	t.Helper()
	secrets, err := crm.ParseSecrets("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Clock: &Clock{}}
	now := w.Clock.Now
	w.CRM = crmsandbox.New(crmsandbox.Options{Secrets: secrets, Domain: "localhost:8090", Now: now})
	w.Dialpad = sandbox.New(sandbox.Options{ClientID: "id", ClientSecret: "secret", RedirectURIs: []string{redirectURL},
		Now: now, TextsPerMinute: -1, RequestsPerSecond: -1})
	w.Dialpad.SeedDemo()
	host, phone := httptest.NewServer(w.CRM), httptest.NewServer(w.Dialpad)
	t.Cleanup(func() { w.Dialpad.Close(); host.Close(); phone.Close() })
	w.DB = seed.Store(t, dsn, now)
	w.CRMClient = crm.New(host.URL+"/{linkname}", secrets, nil, now)
	w.DialpadClient = dialpad.New(dialpad.Config{BaseURL: phone.URL, ClientID: "id", ClientSecret: "secret",
		RedirectURL: redirectURL, Scopes: []string{"offline_access", "change_log"}, Now: now})
	return w
}

// SetPlan stores Acme's signed tenant block with a plan.
func (w *World) SetPlan(t testing.TB, plan string) {
	t.Helper()
	_, err := w.DB.Tenants.SaveSigned(context.Background(), models.SignedTenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: plan,
		TimeZone: "America/New_York", SignedAt: w.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
}

// Eventually waits until ok is true. It fails the test after timeout.
func Eventually(t testing.TB, timeout time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(timeout); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", timeout, what)
		}
	}
}
