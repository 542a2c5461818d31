package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// endedBatch creates a bulk whose texts have the given states, and ends it.
func endedBatch(t *testing.T, db *seed.DB, acme *seed.Tenant, id, state string, texts ...string) {
	t.Helper()
	ctx := context.Background()
	messages := acme.Batch(id, ledger.ClassBulk, "1", "ana@acme.com", len(texts))
	l := acquire(t, db, "w-"+id)
	byID := map[string]string{}
	for i, text := range texts {
		byID[messages[i].ID] = text
	}
	for _, m := range claim(t, db, l, ledger.ClaimParams{N: len(texts)}) {
		settleOutcome(t, db, ledger.Outcome{ID: m.ID, Attempt: m.Attempt, State: byID[m.ID], DialpadID: "d" + m.ID})
	}
	if err := db.Batches.Update(ctx, acme.ID, id, []string{ledger.BatchSending, ledger.BatchDone}, map[string]any{"state": state, "finished_at": db.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := db.Lanes.ReleaseOwnedAllTenants(ctx, "w-"+id); err != nil {
		t.Fatal(err)
	}
}

// deleteEnded deletes what ended before a time, two messages at a time.
func deleteEnded(t *testing.T, db *seed.DB, before time.Time) {
	t.Helper()
	for range 100 {
		n, err := db.Retention.EndedAllTenants(context.Background(), before, 2)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if n > 3 {
			t.Fatalf("one step deleted %d rows", n)
		}
	}
	t.Fatal("it never ends")
}

// retention deletes batches that ended long ago, whole, and nothing that is
// open, held, or whose outcome may still come.
func retention(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	endedBatch(t, db, acme, "old", ledger.BatchDone, ledger.Sent, ledger.Failed, ledger.Uncertain, ledger.Sent, ledger.Sent)
	endedBatch(t, db, acme, "cancelled", ledger.BatchCancelled, ledger.Sent)
	endedBatch(t, db, acme, "held", ledger.BatchCancelled, ledger.Sent, ledger.Held)
	event := ledger.WebhookEvent{ID: "e1", TenantID: acme.ID, Kind: ledger.EventSMS, BodyHash: "h", State: ledger.EventApplied, ReceivedAt: clock.Now()}
	old, err := db.Messages.List(ctx, acme.ID, "old", nil, "", 10)
	if err != nil || len(old) != 5 {
		t.Fatalf("%d messages, %v", len(old), err)
	}
	event.MessageID = old[0].ID
	if _, err := db.Events.Add(ctx, event); err != nil {
		t.Fatal(err)
	}
	clock.Add(40 * 24 * time.Hour)
	endedBatch(t, db, acme, "new", ledger.BatchDone, ledger.Sent)
	acme.Batch("waits", ledger.ClassBulk, "1", "ana@acme.com", 1)

	deleteEnded(t, db, clock.Now().Add(-30*24*time.Hour))
	for id, stays := range map[string]bool{"old": false, "cancelled": false, "held": true, "waits": true, "new": true} {
		_, err := db.Batches.Get(ctx, acme.ID, "", id)
		messages, listErr := db.Messages.List(ctx, acme.ID, id, nil, "", 10)
		counts, countErr := db.Counters.ByBatch(ctx, acme.ID, []string{id})
		if (err == nil) != stays || listErr != nil || countErr != nil || (len(messages) > 0) != stays || (counts[id] != ledger.Counts{}) != stays {
			t.Errorf("%s stays: %v; want %v; %d messages, %+v; %v %v", id, err == nil, stays, len(messages), counts[id], listErr, countErr)
		}
	}
	if events, err := db.Events.ByMessage(ctx, acme.ID, old[0].ID); err != nil || len(events) != 0 {
		t.Errorf("%d events stay, %v", len(events), err)
	}
	if n, err := db.Retention.EndedAllTenants(ctx, clock.Now().Add(-50*24*time.Hour), 2); err != nil || n != 0 {
		t.Errorf("deleted %d more, %v", n, err)
	}
}

// folding adds the changes to the counts, and changes none of them.
func folding(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	endedBatch(t, db, acme, "b1", ledger.BatchDone, ledger.Sent, ledger.Failed, ledger.Uncertain)
	acme.Batch("b2", ledger.ClassBulk, "1", "ana@acme.com", 3)
	read := func() (counts map[string]ledger.Counts, hour ledger.Counts, queued int64) {
		t.Helper()
		counts, err := db.Counters.ByBatch(ctx, acme.ID, []string{"b1", "b2"})
		if err != nil {
			t.Fatal(err)
		}
		if hour, err = db.Counters.SettledSince(ctx, acme.ID, clock.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if queued, err = db.Counters.Queued(ctx, acme.ID, acme.Lane); err != nil {
			t.Fatal(err)
		}
		return counts, hour, queued
	}
	check := func(when string) {
		t.Helper()
		counts, hour, queued := read()
		want := ledger.Counts{Sent: 1, Failed: 1, Uncertain: 1}
		if counts["b1"] != want || counts["b2"] != (ledger.Counts{Queued: 3}) || hour != want || queued != 3 {
			t.Errorf("%s: %+v, last hour %+v, %d queued", when, counts, hour, queued)
		}
	}
	check("before")
	for range 10 {
		n, err := db.Counters.FoldAllTenants(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		check("while folding")
		if n == 0 {
			break
		}
	}
	if has, err := db.Counters.HasChangesAllTenants(ctx); err != nil || has {
		t.Errorf("something is left to fold, %v", err)
	}
	for _, state := range []string{ledger.WithFailed, ledger.WithUnknown} {
		if list, err := db.Batches.List(ctx, acme.ID, ledger.BatchFilter{State: state}, "", 10); err != nil || len(list) != 1 || list[0].ID != "b1" {
			t.Errorf("with %s: %d batches, %v", state, len(list), err)
		}
	}
}
