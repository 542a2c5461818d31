package database_test

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// It migrates down to older schemas and up again with rows in the
// tables.
func TestMigrationsKeepMessagesAndRecipients(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx := context.Background()
		store := seed.Store(t, dsn, seed.NewClock().Now)
		acme := store.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		messages := acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 3)
		db, err := database.Open(ctx, dsn, database.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for _, version := range []int64{9, 6} {
			if err := db.MigrateTo(ctx, version); err != nil {
				t.Fatalf("down to %d: %v", version, err)
			}
			if err := db.Migrate(ctx); err != nil {
				t.Fatalf("up from %d: %v", version, err)
			}
			if list, err := store.Messages.List(ctx, "t_9", "b1", nil, "", 10); err != nil || len(list) != 3 {
				t.Errorf("after version %d: %d messages, %v; want 3", version, len(list), err)
			}
			m := messages[1]
			if got, err := store.Messages.ByNumber(ctx, "t_9", "b1", m.ToKey); err != nil || got.ID != m.ID {
				t.Errorf("after version %d the number belongs to message %q, %v; want %q", version, got.ID, err, m.ID)
			}
			duplicate := m
			duplicate.ID, duplicate.RecordID = models.NewID(), "another record"
			if added := add(t, store, duplicate); added {
				t.Errorf("after version %d a batch accepts a number twice", version)
			}
		}
	})
}

func add(t *testing.T, store *seed.DB, m ledger.Message) (added bool) {
	t.Helper()
	err := store.Tx(context.Background(), func(tx *models.Store) error {
		ids, err := tx.Messages.Add(context.Background(), ledger.Lane{ID: m.LaneID, TenantID: m.TenantID}, []ledger.Message{m})
		added = ids[m.ID]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return added
}
