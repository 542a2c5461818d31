package ledgertest

import (
	"context"
	"errors"
	"testing"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// addCopies adds changed copies of a message to its batch, and returns
// which of them were stored.
func addCopies(t *testing.T, db *seed.DB, original ledger.Message, changes ...func(m *ledger.Message)) (stored []bool) {
	t.Helper()
	copies := make([]ledger.Message, len(changes))
	for i, change := range changes {
		copies[i] = original
		copies[i].ID = models.NewID()
		change(&copies[i])
	}
	err := db.Tx(context.Background(), func(tx *models.Store) error {
		added, err := tx.Messages.Add(context.Background(), ledger.Lane{ID: original.LaneID, TenantID: original.TenantID}, copies)
		for _, m := range copies {
			stored = append(stored, added[m.ID])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func recipientsOnce(t *testing.T, db *seed.DB, _ *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	m := acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 1)[0]
	stored := addCopies(t, db, m,
		func(m *ledger.Message) { m.ToKey = "another number" },
		func(m *ledger.Message) { m.RecordID = "another" },
		func(m *ledger.Message) { m.RecordID, m.State = "skipped", ledger.Skipped },
		func(m *ledger.Message) { m.RecordID, m.CallbackID = "of an automation", "cb1" },
		func(m *ledger.Message) { m.RecordID, m.ToKey = "new", "new" },
	)
	for i, want := range []bool{false, false, true, true, true} {
		if stored[i] != want {
			t.Errorf("copy %d was stored: %t, want %t", i, stored[i], want)
		}
	}
	if byNumber, err := db.Messages.ByNumber(ctx, "t_9", "b1", m.ToKey); err != nil || byNumber.ID != m.ID {
		t.Errorf("the number belongs to message %s, %v; want %s", byNumber.ID, err, m.ID)
	}
	if _, err := db.Messages.ByNumber(ctx, "t_10", "b1", m.ToKey); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("read by another tenant: error %v, want ErrNotFound", err)
	}
}
