package ledgertest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

func resendOnce(t *testing.T, db *seed.DB, _ *seed.Clock) {
	ctx := context.Background()
	seedAcme(db).Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 3)
	for i, c := range claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: 3}) {
		settle(t, db, c, []string{ledger.Failed, ledger.Sent, ledger.Failed}[i])
	}
	filter := ledger.ResendFilter{TenantID: "t_9", BatchID: "b1", States: []string{ledger.Failed}, ExceptCodes: []string{"erased"}}
	take := func(newBatchID string, want ...string) {
		t.Helper()
		var recordIDs []string
		err := db.Tx(ctx, func(tx *models.Store) (err error) {
			recordIDs, err = tx.Resends.Take(ctx, filter, newBatchID)
			return err
		})
		if diff := cmp.Diff(want, recordIDs); err != nil || diff != "" {
			t.Errorf("records taken for %s: %v %s", newBatchID, err, diff)
		}
	}
	counts, err := db.Resends.Count(ctx, filter)
	if diff := cmp.Diff(map[string]int{ledger.Failed: 2}, counts); err != nil || diff != "" {
		t.Errorf("messages to resend: %v %s", err, diff)
	}
	take("b2", "0", "2")
	take("b3")
	if resent, err := db.Resends.Any(ctx, filter); err != nil || !resent {
		t.Errorf("any message resent: %t, %v", resent, err)
	}
	_, _, err = db.Batches.Create(ctx, ledger.Batch{ID: "b2", TenantID: "t_9", UserID: "42", Source: ledger.SourceBulk, Class: ledger.ClassBulk,
		Module: "contact", Message: "Hi", IdempotencyKey: "b2", State: ledger.BatchCancelled})
	if err != nil {
		t.Fatal(err)
	}
	take("b4", "0", "2")
}
