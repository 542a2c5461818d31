package ledger_test

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

func TestLateRuleLeavesStoppedBatchesAlone(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		clock := seed.NewClock()
		db := seed.Store(t, dsn, clock.Now)
		ctx := context.Background()
		db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		due := clock.Now().Add(-2 * time.Hour)
		for state, want := range map[string]string{
			ledger.BatchPaused:    ledger.BatchPaused,
			ledger.BatchCancelled: ledger.BatchCancelled,
			ledger.BatchSending:   ledger.BatchHeld,
		} {
			b, _, err := db.Batches.Create(ctx, ledger.Batch{ID: models.NewID(), TenantID: "t_9", UserID: "42",
				Source: ledger.SourceBulk, Class: ledger.ClassBulk, Module: "contact", RecordIDs: []string{"7"}, Message: "Hi",
				IdempotencyKey: state, State: state, Prepared: true, Expected: 1,
				SendAt: &due, LateMinutes: 60, LateDo: ledger.LateHold})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.ApplyLateRule(ctx, "t_9", b.ID, due); err != nil {
				t.Errorf("late rule for a batch that is %s: %v", state, err)
			}
			if b, err = db.Batches.Get(ctx, "t_9", "", b.ID); err != nil || b.State != want {
				t.Errorf("the batch was %s and is %s, %v; want %s", state, b.State, err, want)
			}
		}
	})
}
