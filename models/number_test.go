package models_test

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

// twins are the two forms of one person's number, the canonical first.
var twins = [][2]string{
	{"+5491123456789", "+541123456789"}, {"+525512345678", "+5215512345678"}, {"+5511987654321", "+551187654321"},
}

func TestOptOutCountsForEveryFormOfANumber(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		ctx := context.Background()
		db.Tenant("t_9")
		for _, pair := range twins {
			for i, number := range pair {
				other := pair[1-i]
				if _, err := db.Suppressions.Add(ctx, "t_9", number, models.OptOutReply, ""); err != nil {
					t.Fatal(err)
				}
				if got, err := db.Suppressions.Contains(ctx, "t_9", other); err != nil || !got {
					t.Errorf("%s opted out, %s: %t, %v", number, other, got, err)
				}
				if err := db.EraseNumber(ctx, "t_9", other); err != nil {
					t.Fatal(err)
				}
				if got, err := db.Suppressions.Remove(ctx, "t_9", other, models.OptOutReply); err != nil || !got {
					t.Errorf("the opt-out of %s was not removed by %s: %v", number, other, err)
				}
			}
		}
	})
}

func TestErasureTakesEveryFormOfANumber(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		ctx := context.Background()
		db.Tenant("t_9").Connected("c1")
		for i, pair := range twins {
			id := []string{"b0", "b1", "b2"}[i]
			m := addText(t, db, id, pair[0])
			if err := db.EraseNumber(ctx, "t_9", pair[1]); err != nil {
				t.Fatal(err)
			}
			if m, err := db.Messages.Get(ctx, "t_9", "", m); err != nil || !m.Erased() {
				t.Errorf("left of %s after the erasure of %s: %+v, %v", pair[0], pair[1], m, err)
			}
		}
	})
}

// addText stores a one-to-one to a number, and returns its message's id.
func addText(t *testing.T, db *seed.DB, id, number string) string {
	t.Helper()
	ctx := context.Background()
	b := ledger.Batch{ID: id, TenantID: "t_9", UserID: "42", UserName: "Ana Sørensen", Source: ledger.SourceOneToOne, Class: ledger.ClassOneToOne,
		Module: "contact", Message: "Votre café, Émile", ToNumber: number, IdempotencyKey: id, State: ledger.BatchSending, Expected: 1}
	if _, _, err := db.Batches.Create(ctx, b); err != nil {
		t.Fatal(err)
	}
	key, err := db.Tenants.NumberKey(ctx, "t_9", number)
	if err != nil {
		t.Fatal(err)
	}
	m := ledger.Message{ID: models.NewID(), TenantID: "t_9", BatchID: id, LaneID: "c1", Class: ledger.ClassOneToOne, Module: "contact", RecordID: id,
		Name: "Émile Żak", ToNumber: number, ToKey: key, Text: "Votre café", Segments: 1, State: ledger.Queued}
	err = db.Tx(ctx, func(tx *models.Store) error {
		lane, err := tx.Lanes.Get(ctx, "t_9", "c1")
		if err != nil {
			return err
		}
		_, err = tx.Messages.Add(ctx, lane, []ledger.Message{m})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.ID
}

// Rows from before a number's forms had one key, and before searches
// were folded, are found after Migrate.
func TestMigrateCompletesOlderRows(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx := context.Background()
		db := seed.Store(t, dsn, seed.NewClock().Now)
		db.Tenant("t_9").Connected("c1")
		if err := db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Name: "Ana SØRENSEN", Active: true}}); err != nil {
			t.Fatal(err)
		}
		id := addText(t, db, "b1", "+541123456789")
		keys, err := db.Tenants.NumberKeys(ctx, "t_9", "+541123456789")
		if err != nil || len(keys) != 2 {
			t.Fatal(keys, err)
		}
		if _, err := db.Suppressions.Add(ctx, "t_9", "+541123456789", models.OptOutCRM, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Suppressions.Add(ctx, "t_9", "+543514123456", models.OptOutCRM, ""); err != nil {
			t.Fatal(err)
		}
		makeOld(t, dsn, keys)

		for range 2 { // the second time there is nothing to do
			if err := db.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if suppressed, err := db.Suppressions.Keys(ctx, "t_9", keys[:1]); err != nil || !suppressed[keys[0]] {
			t.Errorf("the opt-out has its old key: %v, %v", suppressed, err)
		}
		if got, err := db.Suppressions.Contains(ctx, "t_9", "+5493514123456"); err != nil || !got {
			t.Errorf("an erased opt-out is lost: %v", err)
		}
		if m, err := db.Messages.ByNumber(ctx, "t_9", "b1", keys[0]); err != nil || m.ID != id || m.ToKey != keys[0] {
			t.Errorf("the message has its old key: %+v, %v", m, err)
		}
		for _, query := range []string{"CAFE", "emile ZAK", "sorensen"} {
			list, _, err := db.Batches.Search(ctx, "t_9", ledger.BatchFilter{Query: query}, "", 10)
			if err != nil || len(list) != 1 {
				t.Errorf("search %q: %d, %v", query, len(list), err)
			}
		}
		if people, _, err := db.Users.People(ctx, "t_9", "sorensen", false, "", 10); err != nil || len(people) != 1 {
			t.Errorf("people: %v, %v", people, err)
		}
	})
}

func TestEventsAreMatchedInEveryFormOfANumber(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx := context.Background()
		db := seed.Store(t, dsn, seed.NewClock().Now)
		db.SkipCounts() // it sets states by SQL of its own
		db.Tenant("t_9").Connected("c1")
		raw, err := database.Open(ctx, dsn, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = raw.Close() }()
		for i, pair := range twins {
			id := addText(t, db, []string{"b0", "b1", "b2"}[i], pair[0])
			set := func(state string) {
				t.Helper()
				if err := raw.Gorm(ctx).Exec("UPDATE messages SET state = ?, from_number = '+14155550100', claimed_at = ? WHERE id = ?",
					state, db.Now(), id).Error; err != nil {
					t.Fatal(err)
				}
			}
			set("sending")
			if found, err := db.Messages.PairInFlight(ctx, "t_9", "+14155550100", pair[1]); err != nil || !found {
				t.Errorf("%s is not in flight as %s: %v", pair[0], pair[1], err)
			}
			set("uncertain")
			list, err := db.Messages.UncertainOfPair(ctx, "t_9", "+14155550100", pair[1], db.Now().Add(-time.Minute), db.Now().Add(time.Minute))
			if err != nil || len(list) != 1 || list[0].ID != id {
				t.Errorf("%s is not matched as %s: %v, %v", pair[0], pair[1], list, err)
			}
		}
	})
}

// makeOld undoes what an older program would not have stored.
func makeOld(t *testing.T, dsn string, keys []string) {
	t.Helper()
	ctx := context.Background()
	raw, err := database.Open(ctx, dsn, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	db := seed.Store(t, dsn, seed.NewClock().Now)
	erased, err := db.Tenants.NumberKeys(ctx, "t_9", "+543514123456")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []struct {
		sql  string
		vars []any
	}{
		{"UPDATE tenants SET data_version = 0", nil},
		{"UPDATE batches SET search_text = '', search_names = ''", nil},
		{"UPDATE messages SET search_name = '', to_key = ?", []any{keys[1]}},
		{"UPDATE recipients SET number_key = ?", []any{keys[1]}},
		{"UPDATE users SET search = ''", nil},
		{"UPDATE suppressions SET number_key = ? WHERE number_key = ?", []any{keys[1], keys[0]}},
		{"UPDATE suppressions SET number_key = ?, number = '' WHERE number_key = ?", []any{erased[1], erased[0]}},
	} {
		if err := raw.Gorm(ctx).Exec(change.sql, change.vars...).Error; err != nil {
			t.Fatal(err)
		}
	}
}

func TestSearchFoldsAccentsAndCase(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		ctx := context.Background()
		db.Tenant("t_9").Connected("c1")
		addText(t, db, "b1", "+14155550142")
		for query, want := range map[string]int{
			"ÉMILE": 1, "emile": 1, "E\u0301mile żak": 1, "CAFÉ, émile": 1, "SØRENSEN": 1, "\u200bCafe": 1, "émilie": 0, "é%e": 0, "\u0301": 0, " ": 1, "": 1,
		} {
			list, _, err := db.Batches.Search(ctx, "t_9", ledger.BatchFilter{Query: query}, "", 10)
			if err != nil || len(list) != want {
				t.Errorf("search %q: %d, %v; want %d", query, len(list), err, want)
			}
		}
		b, err := db.Batches.Get(ctx, "t_9", "", "b1")
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Batches.UpdateUnchanged(ctx, b, map[string]any{"message": "Le THÉ"}); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]int{"the": 1, "cafe": 0} {
			if list, _, err := db.Batches.Search(ctx, "t_9", ledger.BatchFilter{Query: query}, "", 10); err != nil || len(list) != want {
				t.Errorf("after an edit, search %q: %d, %v", query, len(list), err)
			}
		}
	})
}

func TestEmailsFoldASCIIAlone(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		ctx := context.Background()
		db.Tenant("t_9").Connected("c1").Account("1", "Mike@acme.com", "+14155550100").Account("2", "ilker@acme.com", "+14155550101")
		for email, found := range map[string]bool{"mike@ACME.com": true, "mi\u212ae@acme.com": false, "İlker@acme.com": false, "ılker@acme.com": false,
			"ILKER@acme.com": true, "mike@acme.c\u2134m": false} {
			if _, err := db.Accounts.ByEmail(ctx, "t_9", models.FoldEmail(email)); (err == nil) != found {
				t.Errorf("%q: %v, want found %t", email, err, found)
			}
		}
	})
}
