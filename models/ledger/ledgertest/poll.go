package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// pollQueuesOneToOnes polls three lanes: with a one-to-one message
// that is due in a second, with a bulk that is, and without messages.
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
		polls, err := db.Lanes.PollAllTenants(ctx, lanes)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range polls {
			if isDue := p.NextDue != nil && p.NextDue.Equal(due); isDue != wantDue[i] || p.RatePerMinute != 100 {
				t.Errorf("%s: lane %d is next due %v, with %d texts a minute", what, i, p.NextDue, p.RatePerMinute)
			}
		}
	}
	poll("before they are due", true, true, false)
	clock.Add(time.Second)
	poll("when they are due", false, true, false)
	if claimed := claim(t, db, acquireByID(t, db, "ca"), ledger.ClaimParams{N: 5}); len(claimed) != 1 {
		t.Errorf("claimed %d messages, want 1", len(claimed))
	}
}

func pollLeavesOverdue(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	acme.WaitingOneToOne("b1", "1", "ana@acme.com", 1, clock.Now().Add(time.Second))
	clock.Add(time.Hour)
	l := acquire(t, db, "w1")
	polls, err := db.Lanes.PollAllTenants(ctx, []ledger.Lane{l})
	if err != nil || polls[0].NextDue == nil || polls[0].NextDue.After(clock.Now()) {
		t.Errorf("the poll queued an overdue message: %+v, %v", polls, err)
	}
}

func pollQueuesFew(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	acme.WaitingOneToOne("b1", "1", "ana@acme.com", 6, clock.Now().Add(time.Second))
	l := acquire(t, db, "w1")
	clock.Add(time.Second)
	for i, want := range []bool{true, false} {
		if polls, err := db.Lanes.PollAllTenants(ctx, []ledger.Lane{l}); err != nil || polls[0].MoreDue != want {
			t.Fatalf("poll %d: %+v, %v; want MoreDue %t", i, polls, err, want)
		}
	}
	if claimed := claim(t, db, l, ledger.ClaimParams{N: 10}); len(claimed) != 6 {
		t.Errorf("claimed %d messages, want 6", len(claimed))
	}
}
