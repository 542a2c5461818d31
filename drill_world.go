package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"dialpad-texting/app/market"
	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const drillTenant = "t_9"

// connect installs the app for Acme and connects its Dialpad, as Ana does in her browser.
func (f *drillField) connect(ctx context.Context) error {
	store, mkt := f.program.store, f.program.crew.Market
	as := f.crmSandbox.Tenant("acme")
	if _, err := store.Tenants.SaveSigned(ctx, models.SignedTenant{ID: as.ID, Linkname: as.Linkname, Name: as.Name, Plan: as.Plan,
		TimeZone: as.TimeZone, SignedAt: time.Now()}); err != nil {
		return err
	}
	t, err := store.Tenants.Get(ctx, drillTenant)
	if err != nil {
		return err
	}
	if _, err := mkt.Install(ctx, t, "42"); err != nil {
		return err
	}
	address, _, err := mkt.StartConnect(ctx, t, models.Session{TenantID: drillTenant, UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin"})
	if err != nil {
		return err
	}
	_, ticket, _ := strings.Cut(address, "ticket=")
	consent, err := mkt.OpenWindow(ctx, ticket, "drill")
	if err != nil {
		return err
	}
	back, err := f.dialpadSandbox.Consent(consent, dialpadsandbox.AnaID)
	if err != nil {
		return err
	}
	u, err := url.Parse(back)
	if err != nil {
		return err
	}
	done, err := mkt.Callback(ctx, market.CallbackQuery{State: u.Query().Get("state"), Code: u.Query().Get("code"), Browser: "drill"})
	if err == nil && !done.Done {
		err = fmt.Errorf("not connected: %+v", done)
	}
	return err
}

// ask waits for the connection to be ready and asks for the bulk, as the popup does.
func (f *drillField) ask(ctx context.Context) error {
	store := f.program.store
	if !until(ctx, time.Minute, func() bool {
		c, err := store.Connections.Get(ctx, drillTenant)
		return err == nil && c.Usable()
	}) {
		return errors.New("the connection did not become ready within a minute")
	}
	if err := store.Tenants.SaveSettings(ctx, drillTenant, models.Settings{Country: "US", RatePerMinute: f.rate()}); err != nil {
		return err
	}
	t, err := store.Tenants.Get(ctx, drillTenant)
	if err != nil {
		return err
	}
	f.crmSandbox.Seed(f.o.texts, 0)
	selection, n, err := f.crmSandbox.Select("acme", "42", crm.ModuleContact, "")
	if err != nil {
		return err
	}
	f.requested = n
	b, err := f.program.crew.Texting.Create(ctx, texting.Asker{Tenant: t, UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin",
		Ctx: &crm.Ctx{Mode: "bulk", Module: crm.ModuleContact, Selection: selection, Count: n}}, "drill", texting.BatchRequest{Message: "The drill"})
	f.batchID = b.ID
	f.say("%d people to text, at most %d a minute, seed %d", n, f.rate(), f.o.seed)
	return err
}

// rate lets the texts between two troubles take about a second, so that each trouble finds some on the wire.
func (f *drillField) rate() int { return max(600, 60*f.o.texts/(f.troubles()+1)) }

// calm waits until nothing is queued or on the wire and all events have been heard, or until nothing moves any more.
func (f *drillField) calm(ctx context.Context) error {
	var last ledger.Counts
	moved := time.Now()
	if !until(ctx, time.Hour, func() bool {
		c, queued := f.counts(ctx)
		if c != last {
			last, moved = c, time.Now()
		}
		still := time.Since(moved)
		return !queued && (f.heard(ctx) || still > f.o.patience) || still > 2*time.Minute
	}) {
		return ctx.Err()
	}
	return nil
}

// counts are the texts by state, and whether some may still be on their way.
func (f *drillField) counts(ctx context.Context) (ledger.Counts, bool) {
	b, err := f.program.store.Batches.Get(ctx, drillTenant, "", f.batchID)
	if err != nil {
		return ledger.Counts{}, true // the database is cut
	}
	counts, err := f.program.store.Messages.CountByBatch(ctx, drillTenant, []string{f.batchID})
	c := counts[f.batchID]
	return c, err != nil || !b.Prepared || c.Queued+c.Sending+c.Held > 0
}

// heard tells whether all of Dialpad's events have come and been applied.
func (f *drillField) heard(ctx context.Context) bool {
	soon, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if f.dialpadSandbox.Drain(soon) != nil {
		return false
	}
	pending, err := f.program.store.Events.PendingAllTenants(ctx, time.Now().Add(time.Hour), 1)
	return err == nil && len(pending) == 0
}
