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
	claimed := claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: 2})
	erased, other := claimed[0], claimed[1]
	if err := db.EraseNumber(ctx, "t_9", erased.ToNumber); err != nil {
		t.Fatal(err)
	}
	due := db.Now().Add(time.Second)
	for c, want := range map[ledger.ClaimedMessage]string{erased: ledger.Cancelled, other: ledger.Waiting} {
		changed, err := db.Settle(ctx, []ledger.Outcome{{ID: c.ID, Attempt: c.Attempt, State: ledger.Waiting, Code: "rate_limited", DueAt: &due}})
		if err != nil || len(changed) != 1 || changed[0].State != want {
			t.Errorf("changed %+v, %v; want state %s", changed, err, want)
		}
	}
	if m := getMessage(t, db, erased.ID); !m.Erased() || m.Text != "" || m.Name != "" || m.ToKey != "" {
		t.Errorf("personal data was left: %+v", m)
	}
	if m := getMessage(t, db, other.ID); m.Erased() {
		t.Errorf("another person was erased: %+v", m)
	}
}

func eraseRelated(t *testing.T, db *seed.DB, _ *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 1)
	l := acquire(t, db, "w1")
	first := claim(t, db, l, ledger.ClaimParams{N: 1})[0]
	errorText := first.ToNumber + " accepts no texts"
	due := db.Now()
	settleOutcome(t, db, ledger.Outcome{ID: first.ID, Attempt: 1, State: ledger.Waiting, Code: "rate_limited", Text: errorText, DueAt: &due})
	if _, _, err := db.Lanes.QueueDue(ctx, l, 10); err != nil {
		t.Fatal(err)
	}
	second := claim(t, db, l, ledger.ClaimParams{N: 1})[0]
	settleOutcome(t, db, ledger.Outcome{ID: second.ID, Attempt: 2, State: ledger.Failed, Code: "dialpad_refused", Text: errorText})
	if err := db.EraseContact(ctx, "t_9", "0"); err != nil {
		t.Fatal(err)
	}
	if m := getMessage(t, db, first.ID); m.State != ledger.Failed || m.ErrorText != "Dialpad refused the text" {
		t.Errorf("the message is %s with %q", m.State, m.ErrorText)
	}
	if attempts, err := db.Messages.Attempts(ctx, "t_9", first.ID); err != nil || len(attempts) != 1 || attempts[0].ErrorText != "" {
		t.Errorf("attempts: %+v, %v", attempts, err)
	}
}
