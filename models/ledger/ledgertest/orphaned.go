package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// orphanedBatch returns a text to a state that its batch has left.
func orphanedBatch(state, comesBack string) func(t *testing.T, db *seed.DB, clock *seed.Clock) {
	return func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		ctx := context.Background()
		acme := seedAcme(db)
		acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
		got := claim(t, db, acquire(t, db, "w1"), ledger.ClaimSize{N: 1})[0]
		if err := db.Batches.Update(ctx, "t_9", "b1", []string{ledger.BatchSending}, map[string]any{"state": state, "finished_at": db.Now()}); err != nil {
			t.Fatal(err)
		}
		if state == ledger.BatchCancelled { // the rest followed at once
			if _, err := db.Messages.ChangeState(ctx, "t_9", "b1", []string{ledger.Queued}, ledger.Cancelled, "cancelled", "", 10); err != nil {
				t.Fatal(err)
			}
		}
		left := func() int {
			list, err := db.Batches.OrphanedAllTenants(ctx, db.Now().Add(-20*time.Second), 10)
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
		if _, err := db.Settle(ctx, []ledger.Outcome{{ID: got.ID, Attempt: 1, State: comesBack, DueAt: &due}}); err != nil {
			t.Fatal(err)
		}
		if left() != 1 {
			t.Error("not found")
		}
	}
}
