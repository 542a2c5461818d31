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
		for state, want := range map[string]string{ledger.BatchPaused: ledger.BatchPaused, ledger.BatchCancelled: ledger.BatchCancelled, ledger.BatchSending: ledger.BatchHeld} {
			at := clock.Now().Add(-2 * time.Hour)
			b, _, err := db.Batches.Create(ctx, ledger.Batch{ID: models.NewID(), TenantID: "t_9", UserID: "42", Source: ledger.SourceBulk, Class: ledger.ClassBulk, Module: "contact",
				RecordIDs: []string{"7"}, Message: "Hi", IdempotencyKey: state, State: state, Prepared: true, SendAt: &at, Expected: 1, LateMinutes: 60, LateDo: ledger.LateHold})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.ApplyLateRule(ctx, "t_9", b.ID, at); err != nil {
				t.Errorf("%s: %v", state, err)
			}
			if b, err = db.Batches.Get(ctx, "t_9", "", b.ID); err != nil || b.State != want {
				t.Errorf("%s became %s, %v", state, b.State, err)
			}
		}
	})
}
