package outbox_test

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/outbox"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// BenchmarkPages measures what the pages, the popup and the sweep read of one
// tenant that has so many texts:
//
//	TEXTS=10000,1000000 go test -run '^$' -bench Pages -benchtime 21x ./app/outbox
//
// p50-ms is the median of its runs. A million take minutes to create.
func BenchmarkPages(b *testing.B) {
	for database, open := range map[string]func(testing.TB, modeltest.Migrate) string{"sqlite": modeltest.SQLite, "postgres": modeltest.Postgres} {
		for texts := range strings.SplitSeq(cmp.Or(os.Getenv("TEXTS"), "10000"), ",") {
			n, err := strconv.Atoi(texts)
			Must(b, err)
			b.Run(database+"/"+texts, func(b *testing.B) {
				dsn := open(b, seed.Migrate)
				w := New(b, dsn)
				w.Tenant.Grow(dsn, n)
				for _, page := range pages(w) {
					b.Run(page.name, func(b *testing.B) { median(b, page.read) })
				}
			})
		}
	}
}

// median runs a read and reports the median time.
func median(b *testing.B, read func() error) {
	Must(b, read()) // plans and caches are there already
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		err := read()
		took = append(took, time.Since(begun))
		Must(b, err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
}

type page struct {
	name string
	read func() error
}

func pages(w *World) []page {
	ana, one, bulk := w.Page("ana"), w.One("ana", "7", Bob), w.Bulk("ana", "7", "8")
	list := func(f outbox.Filter) func() error {
		return func() error { _, err := w.Outbox.Batches(Ctx, ana, f); return err }
	}
	messages := func(state, q string) func() error {
		return func() error { _, err := w.Messages(Ctx, ana, seed.GiantBulk, state, q, ""); return err }
	}
	store, now := w.DB.Store, w.Clock.Now()
	return []page{
		{"outbox", list(outbox.Filter{})},
		{"outbox-by-source", list(outbox.Filter{Source: "bulk"})},
		{"outbox-by-sender", list(outbox.Filter{Sender: "42"})},
		{"outbox-sending", list(outbox.Filter{State: "sending"})},
		{"outbox-scheduled", list(outbox.Filter{State: "scheduled"})},
		{"outbox-failed", list(outbox.Filter{State: "failed"})},
		{"outbox-unknown", list(outbox.Filter{State: "unknown"})},
		{"search-nothing", list(outbox.Filter{Query: "nobody has this"})},
		{"search-number", list(outbox.Filter{Query: "+14155550142"})},
		{"search-all-match", list(outbox.Filter{Query: "order"})},
		{"batch", func() error { _, err := w.Batch(Ctx, ana, seed.GiantBulk); return err }},
		{"messages", messages("", "")},
		{"messages-failed", messages("failed", "")},
		{"messages-queued", messages("queued", "")},
		{"messages-search", messages("", "nobody")},
		{"receipt", func() error { _, err := w.Receipt(Ctx, ana, "m000000004"); return err }},
		{"attention", func() error { _, err := w.Attention(Ctx, ana); return err }},
		{"popup-one", func() error { _, err := w.Context(Ctx, one); return err }},
		{"popup-bulk", func() error { _, err := w.Context(Ctx, bulk); return err }},
		{"rate", func() error { _, err := audience.RateOf(Ctx, store, ana.Tenant); return err }},
		{"status-last-hour", func() error {
			_, err := store.Counters.SettledSince(Ctx, Acme, now.Add(-time.Hour))
			return err
		}},
		{"status-last-minute", func() error {
			_, err := store.Counters.AttemptedSince(Ctx, Acme, now.Add(-time.Minute))
			return err
		}},
		{"sweep-finish", func() error { return store.Batches.FinishStalledAllTenants(Ctx, now) }},
		{"sweep-orphaned", func() error { _, err := store.Batches.OrphanedAllTenants(Ctx, now, 100); return err }},
		{"sweep-stalled", func() error { _, err := store.Batches.StalledPreparingAllTenants(Ctx, now, 100); return err }},
		{"sweep-held", func() error { _, err := store.Batches.HeldSinceAllTenants(Ctx, now, 100); return err }},
		{"sweep-scheduled", func() error { _, err := store.Batches.ScheduledAllTenants(Ctx, "", 100); return err }},
		{"sweep-expired", func() error { _, err := store.DeleteExpiredAllTenants(Ctx); return err }},
		{"metrics-backlog", func() error { _, err := store.BacklogAllTenants(Ctx); return err }},
	}
}
