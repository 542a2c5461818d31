package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// Three companies: one with a one-to-one text due in a second, one with
// a bulk due then, and one without texts.
func pollQueuesOneToOnes(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	due := clock.Now().Add(time.Second)
	db.Tenant("t_a").Connected("ca").Account("1", "ana@acme.com", "+14155550100").WaitingOneToOne("ba", "1", "ana@acme.com", 1, due)
	db.Tenant("t_b").Connected("cb").Account("1", "ana@acme.com", "+14155550100").Waiting("bb", "1", "ana@acme.com", 1, due)
	db.Tenant("t_c").Connected("cc")
	lanes := make([]ledger.Lane, 3)
	for i, id := range []string{"a", "b", "c"} {
		var err error
		if lanes[i], err = db.Lanes.Get(ctx, "t_"+id, "c"+id); err != nil {
			t.Fatal(err)
		}
	}
	poll := func(what string, wantDue ...bool) {
		t.Helper()
		got, err := db.Lanes.PollAllTenants(ctx, lanes)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range got {
			if isDue := l.NextDue != nil && l.NextDue.Equal(due); isDue != wantDue[i] || l.RatePerMinute != 100 {
				t.Errorf("%s: lane %d is next due %v at %d a minute", what, i, l.NextDue, l.RatePerMinute)
			}
		}
	}
	poll("before the time", true, true, false)
	clock.Add(time.Second)
	poll("at the time", false, true, false)
	if got, _, err := db.Lanes.Claim(ctx, acquireByID(t, db, "ca"), ledger.ClaimSize{N: 5}); err != nil || len(got) != 1 {
		t.Errorf("claimed %d, %v", len(got), err)
	}
}

func pollLeavesLate(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	acme.WaitingOneToOne("b1", "1", "ana@acme.com", 1, clock.Now().Add(time.Second))
	clock.Add(time.Hour)
	l := acquire(t, db, "w1")
	got, err := db.Lanes.PollAllTenants(ctx, []ledger.Lane{l})
	if err != nil || got[0].NextDue == nil || got[0].NextDue.After(clock.Now()) {
		t.Errorf("next due %v, %v", got, err)
	}
}

// No company's first text waits for another's last.
func pollQueuesFew(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	acme.WaitingOneToOne("b1", "1", "ana@acme.com", 6, clock.Now().Add(time.Second))
	l := acquire(t, db, "w1")
	clock.Add(time.Second)
	for _, more := range []bool{true, false} {
		if got, err := db.Lanes.PollAllTenants(ctx, []ledger.Lane{l}); err != nil || got[0].MoreDue != more {
			t.Fatalf("more %t, next due %v, %v", got[0].MoreDue, got[0].NextDue, err)
		}
	}
	if got, _, err := db.Lanes.Claim(ctx, l, ledger.ClaimSize{N: 10}); err != nil || len(got) != 6 {
		t.Errorf("claimed %d, %v", len(got), err)
	}
}
