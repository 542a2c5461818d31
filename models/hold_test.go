package models_test

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

func TestATextThatAProcessLeftBehindIsFound(t *testing.T) {
	for state, comesBack := range map[string]string{models.BatchSending: models.Held, models.BatchCancelled: models.Waiting} {
		t.Run(state, func(t *testing.T) {
			each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
				ctx := context.Background()
				acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
				acme.Batch("b1", models.ClassBulk, "1", "ana@acme.com", 2)
				got := claim(t, db, acquire(t, db, "w1"), models.Take{N: 1})[0]
				if err := db.UpdateBatch(ctx, "t_9", "b1", []string{models.BatchSending}, map[string]any{"state": state, "finished_at": db.Now()}); err != nil {
					t.Fatal(err)
				}
				if state == models.BatchCancelled { // the rest followed at once
					if _, err := db.MoveMessages(ctx, "t_9", "b1", []string{models.Queued}, models.Cancelled, "cancelled", "", 10); err != nil {
						t.Fatal(err)
					}
				}
				left := func() int {
					list, err := db.LeftBehindAllTenants(ctx, db.Now().Add(-20*time.Second), 10)
					if err != nil {
						t.Fatal(err)
					}
					return len(list)
				}
				clock.Add(30 * time.Second)
				if left() != 0 {
					t.Error("found one that is on the wire")
				}
				due := db.Now()
				if _, err := db.Settle(ctx, []models.Outcome{{ID: got.ID, Attempt: 1, State: comesBack, DueAt: &due}}); err != nil {
					t.Fatal(err)
				}
				if left() != 1 {
					t.Error("not found")
				}
			})
		})
	}
}
