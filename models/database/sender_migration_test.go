package database_test

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// Batches from before the column get the CRM user who sends them, and
// texts from before get their quiet hours looked up.
func TestMigrationFindsSendersOfBatches(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx := context.Background()
		store := seed.Store(t, dsn, seed.NewClock().Now)
		acme := store.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100").User("43", "ben@acme.com", true)
		text := acme.Quiet("night", "1", "ana@acme.com", "UTC", "")
		for id, b := range map[string]ledger.Batch{"own": {UserEmail: "Ana@acme.com ", SenderEmail: "ana@acme.com"}, "handed": {UserEmail: "ana@acme.com", SenderEmail: "ben@acme.com"},
			"unknown": {UserEmail: "ana@acme.com", SenderEmail: "gone@acme.com"}, "automation": {}} {
			b.ID, b.TenantID, b.UserID, b.IdempotencyKey, b.State = id, "t_9", "42", id, ledger.BatchScheduled
			if _, _, err := store.Batches.Create(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		db, err := database.Open(ctx, dsn, database.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if err := db.MigrateTo(ctx, 12); err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{"own": "42", "handed": "43", "unknown": "-", "automation": ""} {
			if b, err := store.Batches.Get(ctx, "t_9", "", id); err != nil || b.SenderUserID != want {
				t.Errorf("%s: sender %q, %v; want %q", id, b.SenderUserID, err, want)
			}
		}
		for i, quiet := range []bool{true, false} {
			if m, err := store.Messages.Get(ctx, "t_9", "", text[i].ID); err != nil || (m.QuietAt != nil) != quiet {
				t.Errorf("text %d: quiet at %v, %v", i, m.QuietAt, err)
			}
		}
	})
}
