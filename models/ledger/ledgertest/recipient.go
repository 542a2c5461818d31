package ledgertest

import (
	"context"
	"errors"
	"testing"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// add adds copies of a message to its batch and reports which were new.
func add(t *testing.T, db *seed.DB, like ledger.Message, change ...func(m *ledger.Message)) (taken []bool) {
	t.Helper()
	list := make([]ledger.Message, len(change))
	for i, set := range change {
		list[i] = like
		list[i].ID = models.NewID()
		set(&list[i])
	}
	err := db.Tx(context.Background(), func(tx *models.Store) error {
		added, err := tx.Messages.Add(context.Background(), ledger.Lane{ID: like.LaneID, TenantID: like.TenantID}, list)
		for _, m := range list {
			taken = append(taken, added[m.ID])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func recipientsOnce(t *testing.T, db *seed.DB, _ *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	m := acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 1)[0]
	got := add(t, db, m,
		func(m *ledger.Message) { m.ToKey = "another number" },
		func(m *ledger.Message) { m.RecordID = "another" },
		func(m *ledger.Message) { m.RecordID, m.State = "left out", ledger.Skipped },
		func(m *ledger.Message) { m.RecordID, m.CallbackID = "of an automation", "cb1" },
		func(m *ledger.Message) { m.RecordID, m.ToKey = "new", "new" },
	)
	for i, want := range []bool{false, false, true, true, true} {
		if got[i] != want {
			t.Errorf("the offer %d was taken: %t", i, got[i])
		}
	}
	if other, err := db.Messages.ByNumber(ctx, "t_9", "b1", m.ToKey); err != nil || other.ID != m.ID {
		t.Errorf("who has the number: %s, %v", other.ID, err)
	}
	if _, err := db.Messages.ByNumber(ctx, "t_10", "b1", m.ToKey); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("another tenant sees %v", err)
	}
}
