package models_test

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

// Three companies: a text from person to person that is due in a second, a bulk that is, and nothing that waits.
func TestALookQueuesWhatPeopleSendAndTellsWhatElseIsDue(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		ctx := context.Background()
		lanes := lanesOf(t, db, 1, 1, 1)
		due := clock.Now().Add(time.Second)
		for i, class := range []int{models.ClassPerson, models.ClassBulk} {
			c := claim(t, db, lanes[i], models.Take{N: 1})[0]
			if _, err := db.Settle(ctx, []models.Outcome{{ID: c.ID, Attempt: 1, State: models.Waiting, DueAt: &due}}); err != nil {
				t.Fatal(err)
			}
			if err := db.SetClass(c.ID, class); err != nil {
				t.Fatal(err)
			}
		}
		look := func(what string, want ...bool) {
			t.Helper()
			got, err := db.LookAllTenants(ctx, lanes)
			if err != nil {
				t.Fatal(err)
			}
			for i, l := range got {
				if waits := l.NextDue != nil && l.NextDue.Equal(due); waits != want[i] || l.Tenant.ID != lanes[i].TenantID {
					t.Errorf("%s: lane %d of %s is next due %v", what, i, l.Tenant.ID, l.NextDue)
				}
			}
		}
		look("before the time", true, true, false)
		clock.Add(time.Second)
		look("at the time", false, true, false)
		if got, _, err := db.Claim(ctx, lanes[0], models.Take{N: 5}); err != nil || len(got) != 1 {
			t.Errorf("claimed %d, %v", len(got), err)
		}
	})
}

// What lies overdue for long is for the late rule to judge.
func TestALookLeavesWhatIsLateToTheLateRule(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		ctx := context.Background()
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		m := acme.Waiting("b1", "1", "ana@acme.com", 1, clock.Now().Add(time.Second))[0]
		if err := db.SetClass(m.ID, models.ClassPerson); err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Hour)
		l := acquire(t, db, "w1")
		got, err := db.LookAllTenants(ctx, []models.Lane{l})
		if err != nil || got[0].NextDue == nil || got[0].NextDue.After(clock.Now()) {
			t.Errorf("next due %v, %v", got, err)
		}
	})
}

// The first of each company must not wait for the last of another.
func TestALookQueuesAFewOfEachLane(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		ctx := context.Background()
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		for _, m := range acme.Waiting("b1", "1", "ana@acme.com", 6, clock.Now().Add(time.Second)) {
			if err := db.SetClass(m.ID, models.ClassPerson); err != nil {
				t.Fatal(err)
			}
		}
		l := acquire(t, db, "w1")
		clock.Add(time.Second)
		for _, more := range []bool{true, false} {
			if got, err := db.LookAllTenants(ctx, []models.Lane{l}); err != nil || got[0].More != more {
				t.Fatalf("more %t, next due %v, %v", got[0].More, got[0].NextDue, err)
			}
		}
		if got, _, err := db.Claim(ctx, l, models.Take{N: 10}); err != nil || len(got) != 6 {
			t.Errorf("claimed %d, %v", len(got), err)
		}
	})
}
