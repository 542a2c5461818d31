package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// orphanedBatch settles a message with a state that does not match
// that of its batch.
func orphanedBatch(batchState, messageState string) func(t *testing.T, db *seed.DB, clock *seed.Clock) {
	return func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		ctx := context.Background()
		acme := seedAcme(db)
		acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
		c := claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: 1})[0]
		if err := db.Batches.Update(ctx, "t_9", "b1", []string{ledger.BatchSending}, map[string]any{"state": batchState, "finished_at": db.Now()}); err != nil {
			t.Fatal(err)
		}
		if batchState == ledger.BatchCancelled { // applied to the other message
			if _, err := db.Messages.ChangeState(ctx, "t_9", "b1", []string{ledger.Queued}, ledger.Cancelled, "cancelled", "", 10); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what string, want int) {
			t.Helper()
			orphaned, err := db.Batches.OrphanedAllTenants(ctx, db.Now().Add(-20*time.Second), 10)
			if err != nil || len(orphaned) != want {
				t.Errorf("%s: %d orphaned batches, %v; want %d", what, len(orphaned), err, want)
			}
		}
		clock.Add(30 * time.Second)
		check("while the message is sending", 0)
		due := db.Now()
		if _, err := db.Settle(ctx, []ledger.Outcome{{ID: c.ID, Attempt: 1, State: messageState, DueAt: &due}}); err != nil {
			t.Fatal(err)
		}
		check("after the message was settled", 1)
	}
}
