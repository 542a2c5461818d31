package drill

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/connection"
	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const tenantID = "t_9"

// connect installs the app for Acme and connects its Dialpad, as Ana does in
// her browser.
func (r *run) connect(ctx context.Context) error {
	store, jobs := r.Program.Store, r.Program.Jobs
	as := r.CRMSandbox.Tenant("acme")
	if _, err := store.Tenants.SaveSigned(ctx, models.SignedTenant{ID: as.ID, Linkname: as.Linkname, Name: as.Name, Plan: as.Plan,
		TimeZone: as.TimeZone, SignedAt: time.Now()}); err != nil {
		return err
	}
	t, err := store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return err
	}
	if _, err := jobs.Installer.Install(ctx, t, "42"); err != nil {
		return err
	}
	address, _, err := jobs.Connector.Start(ctx, t, models.Session{TenantID: tenantID, UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin"})
	if err != nil {
		return err
	}
	_, ticket, _ := strings.Cut(address, "ticket=")
	consent, err := jobs.Connector.OpenWindow(ctx, ticket, "drill")
	if err != nil {
		return err
	}
	back, err := r.DialpadSandbox.Consent(consent, dialpadsandbox.AnaID)
	if err != nil {
		return err
	}
	u, err := url.Parse(back)
	if err != nil {
		return err
	}
	done, err := jobs.Connector.Callback(ctx, connection.CallbackQuery{State: u.Query().Get("state"), Code: u.Query().Get("code"), Browser: "drill"})
	if err == nil && done.Confirm != nil {
		done, err = jobs.Connector.Confirm(ctx, done.Confirm.State, "drill")
	}
	if err == nil && !done.Done {
		err = fmt.Errorf("not connected: %+v", done)
	}
	return err
}

// createBulk waits for the connection to be ready and creates the batch, as the
// popup does.
func (r *run) createBulk(ctx context.Context) error {
	store := r.Program.Store
	if !waitFor(ctx, time.Minute, func() bool {
		c, err := store.Connections.Get(ctx, tenantID)
		return err == nil && c.Usable()
	}) {
		return errors.New("the connection did not become ready within a minute")
	}
	if err := store.Tenants.SaveSettings(ctx, tenantID, models.Settings{Country: "US", RatePerMinute: r.rate()}); err != nil {
		return err
	}
	t, err := store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return err
	}
	r.CRMSandbox.Seed(r.o.Texts, 0)
	selection, n, err := r.CRMSandbox.Select("acme", "42", crm.ModuleContact, "")
	if err != nil {
		return err
	}
	r.requested = n
	b, err := r.Program.Jobs.Batches.Create(ctx, access.Asker{Tenant: t, UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin",
		Target: &crm.LaunchTarget{Mode: "bulk", Module: crm.ModuleContact, Selection: selection, Count: n}}, "drill", batch.Request{Message: "The drill"})
	r.batchID = b.ID
	r.logf("%d people to text, at most %d a minute, seed %d", n, r.rate(), r.o.Seed)
	return err
}

// rate lets the texts between two interruptions take about a second, so that
// each finds some in flight.
func (r *run) rate() int { return max(600, 60*r.o.Texts/(r.interruptions()+1)) }

// waitSettled waits until nothing is queued or in flight and all events are
// applied, or until nothing changes any more.
func (r *run) waitSettled(ctx context.Context) error {
	var last ledger.Counts
	changed := time.Now()
	if !waitFor(ctx, time.Hour, func() bool {
		c, queued := r.counts(ctx)
		if c != last {
			last, changed = c, time.Now()
		}
		idle := time.Since(changed)
		return !queued && (r.eventsApplied(ctx) || idle > r.o.EventTimeout) || idle > 2*time.Minute
	}) {
		return ctx.Err()
	}
	return nil
}

// counts returns the texts by state, and whether some may still be queued or in
// flight.
func (r *run) counts(ctx context.Context) (ledger.Counts, bool) {
	b, err := r.Program.Store.Batches.Get(ctx, tenantID, "", r.batchID)
	if err != nil {
		return ledger.Counts{}, true // the database is cut
	}
	counts, err := r.Program.Store.Counters.ByBatch(ctx, tenantID, []string{r.batchID})
	c := counts[r.batchID]
	return c, err != nil || !b.Prepared || c.Queued+c.Sending+c.Held > 0
}

// eventsApplied reports whether all of Dialpad's events have arrived and been
// applied.
func (r *run) eventsApplied(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if r.DialpadSandbox.Drain(ctx) != nil {
		return false
	}
	events := r.Program.Store.Events
	incoming, err := events.CountIncomingAllTenants(ctx)
	if err != nil || incoming > 0 {
		return false
	}
	pending, err := events.PendingAllTenants(ctx, time.Now().Add(time.Hour), 1)
	return err == nil && len(pending) == 0
}
