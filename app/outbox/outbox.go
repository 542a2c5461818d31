// Package outbox shows what was and will be sent: batches with their
// figures, messages, receipts and reports. It changes nothing.
package outbox

import (
	"context"
	"log/slog"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/compose"
	"dialpad-texting/app/walltime"
	"dialpad-texting/internal/faircache"
	"dialpad-texting/internal/phone"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Outbox reads batches and messages for people; one per process. Safe for
// concurrent use.
type Outbox struct {
	store    *models.Store
	audience *audience.Audience
	batches  *batch.Batches
	now      func() time.Time
	log      *slog.Logger
	names    *faircache.Cache[nameKey, personName]
}

// New returns an Outbox.
func New(store *models.Store, aud *audience.Audience, b *batch.Batches, now func() time.Time, log *slog.Logger) *Outbox {
	return &Outbox{store: store, audience: aud, batches: b, now: now, log: log,
		names: faircache.New[nameKey, personName](nameLimits, namesTTL, now)}
}

// Filter selects batches. State is one of a batch, ledger.WithFailed,
// ledger.WithUnknown or ledger.WithReplied. Query is a name, or a phone number. From and To
// are the first and the last day, "2026-11-24" by the asker's clock.
type Filter struct{ State, Source, Query, Sender, From, To, Cursor string }

// BatchesView is one page of the outbox, newest first.
type BatchesView struct {
	Batches []BatchView `json:"batches"`
	Next    *string     `json:"next"`
}

const batchesPage = 25

// Batches pages the outbox: an admin's has everybody's batches, a
// user's their own. A query that is a phone number finds the batches
// with that recipient; other searches read some of the batches at a time, and
// may find none on a page that has a next one.
func (x *Outbox) Batches(ctx context.Context, a access.Asker, f Filter) (BatchesView, error) {
	filter := ledger.BatchFilter{UserID: a.VisibleUserID(), State: f.State, Source: f.Source, SenderUserID: f.Sender, Query: f.Query}
	if err := f.days(a, &filter); err != nil {
		return BatchesView{}, err
	}
	if number, err := compose.ParseAnyNumber(f.Query, a.Tenant.Country); err == nil {
		filter.Numbers = phone.Forms(number)
		if filter.NumberKeys, err = x.store.Tenants.NumberKeys(ctx, a.Tenant.ID, number); err != nil {
			return BatchesView{}, err
		}
	}
	list, next, err := x.store.Batches.Search(ctx, a.Tenant.ID, filter, f.Cursor, batchesPage)
	if err != nil {
		return BatchesView{}, err
	}
	views, err := x.views(ctx, a, list)
	if err != nil {
		return BatchesView{}, err
	}
	return BatchesView{Batches: views, Next: optional(next)}, nil
}

// days reads the days of a filter.
func (f Filter) days(a access.Asker, out *ledger.BatchFilter) error {
	if f.From == "" && f.To == "" {
		return nil // the outbox asks every few seconds, and reading a zone takes long
	}
	zone, _ := walltime.Zone(a.TimeZone, a.Tenant.TimeZone)
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return err
	}
	for _, d := range []struct {
		name, day string
		later     int
		into      **time.Time
	}{{"from", f.From, 0, &out.From}, {"to", f.To, 1, &out.To}} {
		if d.day == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateOnly, d.day, loc)
		if err != nil {
			e := apierror.Field(d.name, "A day must look like 2026-11-24.")
			e.Err = err
			return e
		}
		at = at.AddDate(0, 0, d.later)
		*d.into = &at
	}
	return nil
}

const runningShown = 3

// Running returns the asker's bulks that are under way, newest first.
// Whoever closed the popup finds them there before they send the same
// once more.
func (x *Outbox) Running(ctx context.Context, a access.Asker) ([]BatchView, error) {
	running, err := x.store.Batches.Underway(ctx, a.Tenant.ID, a.UserID, runningShown)
	if err != nil {
		return nil, err
	}
	return x.views(ctx, a, running)
}

// Batch returns one batch.
func (x *Outbox) Batch(ctx context.Context, a access.Asker, id string) (BatchView, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.VisibleUserID(), id)
	if err != nil {
		return BatchView{}, apierror.NotFound(err)
	}
	return x.View(ctx, a, b)
}

// View returns a batch that was read already.
func (x *Outbox) View(ctx context.Context, a access.Asker, b ledger.Batch) (BatchView, error) {
	list, err := x.views(ctx, a, []ledger.Batch{b})
	if err != nil {
		return BatchView{}, err
	}
	v := list[0]
	if v.Resendable, err = x.batches.Resendable(ctx, b, v.Counts); err != nil {
		return BatchView{}, err
	}
	if v.Timeline = batchTimeline(b, v.Counts, x.now()); b.StartedAt == nil && v.Schedule != nil {
		v.QuietHours = a.Tenant.QuietHours()
	}
	return v, nil
}
