package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// makeUncertain claims the next message of a lane and loses its
// response.
func makeUncertain(t *testing.T, db *seed.DB, l ledger.Lane) ledger.ClaimedMessage {
	t.Helper()
	claimed := claim(t, db, l, ledger.ClaimParams{N: 1})
	if len(claimed) != 1 {
		t.Fatalf("claimed %d messages, want 1", len(claimed))
	}
	settleOutcome(t, db, ledger.Outcome{ID: claimed[0].ID, Attempt: 1, State: ledger.Uncertain})
	return claimed[0]
}

func uncertainOfPair(t *testing.T, db *seed.DB, clock *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
	acme.Batch("b2", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
	l := acquire(t, db, "w1")
	var to string
	check := func(since, until time.Time, want int) {
		t.Helper()
		candidates, err := db.Messages.UncertainOfPair(context.Background(), "t_9", acmeNumber, to, since, until)
		if err != nil || len(candidates) != want {
			t.Errorf("%d candidates, %v; want %d", len(candidates), err, want)
		}
	}
	start := clock.Now()
	to = makeUncertain(t, db, l).ToNumber
	check(start.Add(-time.Minute), start, 1)
	clock.Add(time.Second)
	makeUncertain(t, db, l)
	check(start.Add(-time.Minute), clock.Now(), 2)
	check(start, clock.Now(), 1)
	check(clock.Now(), clock.Now().Add(time.Minute), 0)
}

func eventMovesForward(t *testing.T, db *seed.DB, _ *seed.Clock) {
	seedAcme(db).Batch("b1", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
	c := makeUncertain(t, db, acquire(t, db, "w1"))
	apply := func(state string, want bool, from ...string) {
		t.Helper()
		effect := ledger.EventEffect{State: state, DialpadID: "d1", MatchedBy: "number", From: from}
		applied, err := db.Messages.ApplyEvent(context.Background(), "t_9", c.ID, effect)
		if err != nil || applied != want {
			t.Errorf("event %s applied: %t, %v; want %t", state, applied, err, want)
		}
	}
	apply(ledger.Delivered, true, ledger.Sending, ledger.Uncertain, ledger.Sent)
	apply(ledger.Sent, false, ledger.Sending, ledger.Uncertain)
	m, err := db.Messages.ByDialpadID(context.Background(), "t_9", "d1")
	if err != nil || m.ID != c.ID || m.State != ledger.Delivered || m.MatchedBy != "number" {
		t.Errorf("message %s is %s, matched by %q, %v", m.ID, m.State, m.MatchedBy, err)
	}
}
