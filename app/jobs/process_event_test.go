package jobs_test

import (
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

func TestSweepProcessesTheEventOfADeadWorker(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn) // the Runner does not run, so the event's job is never done
		w.db.Tenant("t_9")
		_, err := w.db.SaveEvent(ctx, ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, BodyHash: "h1", DialpadID: "none of ours", Direction: "inbound"})
		w.must(err)
		w.clock.Add(6 * time.Second)
		before, err := w.db.Events.PendingAllTenants(ctx, w.clock.Now(), 10)
		w.must(err)
		w.must(w.Sweep(ctx))
		after, err := w.db.Events.PendingAllTenants(ctx, w.clock.Now(), 10)
		w.must(err)
		if len(before) != 1 || len(after) != 0 {
			t.Errorf("pending %d, then %d", len(before), len(after))
		}
	})
}
