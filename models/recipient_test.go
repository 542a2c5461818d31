package models_test

import (
	"context"
	"errors"
	"testing"

	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

// add offers copies of a message to its batch and tells which were taken.
func add(t *testing.T, db *seed.DB, like models.Message, change ...func(m *models.Message)) (taken []bool) {
	t.Helper()
	list := make([]models.Message, len(change))
	for i, set := range change {
		list[i] = like
		list[i].ID = models.NewID()
		set(&list[i])
	}
	err := db.Tx(context.Background(), func(tx *models.Store) error {
		added, err := tx.AddMessages(context.Background(), models.Lane{ID: like.LaneID, TenantID: like.TenantID}, list)
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

func TestABatchTakesEachRecordAndEachNumberOnce(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		ctx := context.Background()
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		m := acme.Batch("b1", models.ClassBulk, "1", "ana@acme.com", 1)[0]
		got := add(t, db, m,
			func(m *models.Message) { m.ToKey = "another number" },
			func(m *models.Message) { m.RecordID = "another" },
			func(m *models.Message) { m.RecordID, m.State = "left out", models.Skipped },
			func(m *models.Message) { m.RecordID, m.CallbackID = "of an automation", "cb1" },
			func(m *models.Message) { m.RecordID, m.ToKey = "new", "new" },
		)
		for i, want := range []bool{false, false, true, true, true} {
			if got[i] != want {
				t.Errorf("the offer %d was taken: %t", i, got[i])
			}
		}
		if other, err := db.MessageByNumber(ctx, "t_9", "b1", m.ToKey); err != nil || other.ID != m.ID {
			t.Errorf("who has the number: %s, %v", other.ID, err)
		}
		if _, err := db.MessageByNumber(ctx, "t_10", "b1", m.ToKey); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("another tenant sees %v", err)
		}
	})
}

func TestRecipientsOfOlderBatchesAreMigrated(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		ctx := context.Background()
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		m := acme.Batch("b1", models.ClassBulk, "1", "ana@acme.com", 3)[1]
		add(t, db, m, func(m *models.Message) { m.RecordID, m.State = "left out", models.Skipped })
		if err := errors.Join(db.MigrateTo(ctx, 6), db.Migrate(ctx)); err != nil {
			t.Fatal(err)
		}
		if list, err := db.Messages(ctx, "t_9", "b1", nil, "", 10); err != nil || len(list) != 4 {
			t.Errorf("%d messages, %v", len(list), err)
		}
		if other, err := db.MessageByNumber(ctx, "t_9", "b1", m.ToKey); err != nil || other.ID != m.ID {
			t.Errorf("who has the number: %s, %v", other.ID, err)
		}
		if got := add(t, db, m, func(m *models.Message) { m.ToKey = "new" }, func(m *models.Message) { m.RecordID = "new" }); got[0] || got[1] {
			t.Errorf("an older recipient was taken again: %v", got)
		}
	})
}
