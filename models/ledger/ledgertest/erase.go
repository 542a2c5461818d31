package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

func eraseInFlight(t *testing.T, db *seed.DB, _ *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
	got := claim(t, db, acquire(t, db, "w1"), ledger.ClaimSize{N: 2})
	gone, stays := got[0], got[1]
	if err := db.EraseNumber(ctx, "t_9", gone.ToNumber); err != nil {
		t.Fatal(err)
	}
	due := db.Now().Add(time.Second)
	for c, want := range map[ledger.ClaimedMessage]string{gone: ledger.Cancelled, stays: ledger.Waiting} {
		moved, err := db.Settle(ctx, []ledger.Outcome{{ID: c.ID, Attempt: c.Attempt, State: ledger.Waiting, Code: "rate_limited", DueAt: &due}})
		if err != nil || len(moved) != 1 || moved[0].State != want {
			t.Errorf("moved %+v, %v; want %s", moved, err, want)
		}
	}
	m, err := db.Messages.Get(ctx, "t_9", "", gone.ID)
	if err != nil || !m.Erased() || m.Text != "" || m.Name != "" || m.ToKey != "" {
		t.Errorf("left of it: %+v, %v", m, err)
	}
	if m, err = db.Messages.Get(ctx, "t_9", "", stays.ID); err != nil || m.Erased() {
		t.Errorf("the other one: %+v, %v", m, err)
	}
}

func eraseRelated(t *testing.T, db *seed.DB, _ *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 1)
	l := acquire(t, db, "w1")
	first := claim(t, db, l, ledger.ClaimSize{N: 1})[0]
	words := first.ToNumber + " takes no texts"
	due := db.Now()
	if _, err := db.Settle(ctx, []ledger.Outcome{{ID: first.ID, Attempt: 1, State: ledger.Waiting, Code: "rate_limited", Text: words, DueAt: &due}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Lanes.QueueDue(ctx, l, 10); err != nil {
		t.Fatal(err)
	}
	again := claim(t, db, l, ledger.ClaimSize{N: 1})[0]
	if _, err := db.Settle(ctx, []ledger.Outcome{{ID: again.ID, Attempt: 2, State: ledger.Failed, Code: "dialpad_refused", Text: words}}); err != nil {
		t.Fatal(err)
	}
	if err := db.EraseContact(ctx, "t_9", "0"); err != nil {
		t.Fatal(err)
	}
	m, err := db.Messages.Get(ctx, "t_9", "", first.ID)
	if err != nil || m.State != ledger.Failed || m.ErrorText != "Dialpad refused the text" {
		t.Errorf("%s %q, %v", m.State, m.ErrorText, err)
	}
	if list, err := db.Messages.Attempts(ctx, "t_9", first.ID); err != nil || len(list) != 1 || list[0].ErrorText != "" {
		t.Errorf("%+v, %v", list, err)
	}
}
