package models_test

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

func TestALateBatchThatWasStoppedMeanwhileIsPassedOver(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		ctx := context.Background()
		db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		for state, want := range map[string]string{models.BatchPaused: models.BatchPaused, models.BatchCancelled: models.BatchCancelled, models.BatchSending: models.BatchHeld} {
			at := clock.Now().Add(-2 * time.Hour)
			b, _, err := db.CreateBatch(ctx, models.Batch{ID: models.NewID(), TenantID: "t_9", UserID: "42", Source: models.SourceBulk, Class: models.ClassBulk, Module: "contact",
				RecordIDs: []string{"7"}, Message: "Hi", IdempotencyKey: state, State: state, Prepared: true, SendAt: &at, Expected: 1, LateMinutes: 60, LateDo: models.LateHold})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Judge(ctx, "t_9", b.ID, at); err != nil {
				t.Errorf("%s: %v", state, err)
			}
			if b, err = db.Batch(ctx, "t_9", "", b.ID); err != nil || b.State != want {
				t.Errorf("%s became %s, %v", state, b.State, err)
			}
		}
	})
}
