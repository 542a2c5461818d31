package models_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// each runs a test on both databases with a clock that stands still.
func each(t *testing.T, f func(t *testing.T, db *seed.DB, clock *seed.Clock)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		clock := seed.NewClock()
		f(t, seed.Store(t, dsn, clock.Now), clock)
	})
}

func acquire(t *testing.T, db *seed.DB, owner string) models.Lane {
	t.Helper()
	lanes, err := db.AcquireLanesAllTenants(context.Background(), owner, 10*time.Second, 0, 10)
	if err != nil || len(lanes) != 1 {
		t.Fatalf("acquire: %d lanes, %v", len(lanes), err)
	}
	return lanes[0]
}

func claim(t *testing.T, db *seed.DB, l models.Lane, take models.Take) []models.Claimed {
	t.Helper()
	take.Base = db.Now()
	got, _, err := db.Claim(context.Background(), l, take)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	return got
}

func TestClaimTakesPeopleFirstAndLetsBulksTakeTurns(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100").Account("2", "ben@acme.com", "+14155550101")
		acme.Batch("bulk-ana", models.ClassBulk, "1", "ana@acme.com", 50)
		acme.Batch("bulk-ben", models.ClassBulk, "2", "ben@acme.com", 3)
		acme.Batch("one-ben", models.ClassPerson, "2", "ben@acme.com", 1)
		l := acquire(t, db, "w1")
		var order []string
		for len(order) < 8 {
			got := claim(t, db, l, models.Take{N: 1})
			if len(got) != 1 {
				t.Fatalf("claimed %d", len(got))
			}
			order = append(order, got[0].BatchID)
			settle(t, db, got[0], models.Sent)
		}
		want := []string{"one-ben", "bulk-ana", "bulk-ben", "bulk-ana", "bulk-ben", "bulk-ana", "bulk-ben", "bulk-ana"}
		for i := range want {
			if i > 0 && i < 7 && (order[i] == order[i+1] || order[i][:4] != "bulk") || i == 0 && order[0] != "one-ben" {
				t.Fatalf("served %v, want turns like %v", order, want)
			}
		}
	})
}

func settle(t *testing.T, db *seed.DB, c models.Claimed, state string) int {
	t.Helper()
	moved, err := db.Settle(context.Background(), []models.Outcome{{ID: c.ID, Attempt: c.Attempt, State: state, DialpadID: "d-" + c.ID}})
	if err != nil {
		t.Fatalf("settle: %v", err)
	}
	if err := db.FollowUp(context.Background(), moved); err != nil {
		t.Fatalf("follow up: %v", err)
	}
	return len(moved)
}

func TestClaimReadsTheFactsOfTheMoment(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		m := acme.Batch("b1", models.ClassBulk, "1", "ana@acme.com", 2)
		if _, err := db.Suppress(context.Background(), "t_9", m[1].ToNumber, models.OptOutCRM, ""); err != nil {
			t.Fatal(err)
		}
		got := claim(t, db, acquire(t, db, "w1"), models.Take{N: 10, Low: 1, LowClass: 2})
		if len(got) != 2 {
			t.Fatalf("claimed %d", len(got))
		}
		g := got[0]
		if g.Suppressed || !got[1].Suppressed {
			t.Errorf("suppressed: %v, %v", g.Suppressed, got[1].Suppressed)
		}
		if g.FromNumber != "+14155550100" || g.SenderState != "active" || !g.SenderMatches || g.SenderStale || g.SenderCheckedAt == nil ||
			g.Plan != "business" || g.InstallState != models.Installed || g.ConnectionState != models.Connected || !g.ConnectionReady || g.Attempt != 1 {
			t.Errorf("facts: %+v", g)
		}
	})
}

func TestAPairHasOneRequestInFlight(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		acme.Batch("b1", models.ClassPerson, "1", "ana@acme.com", 1)
		acme.Batch("b2", models.ClassPerson, "1", "ana@acme.com", 1)
		l := acquire(t, db, "w1")
		first := claim(t, db, l, models.Take{N: 10})
		if len(first) != 1 || len(claim(t, db, l, models.Take{N: 10})) != 0 {
			t.Fatalf("both texts of a pair went out together")
		}
		settle(t, db, first[0], models.Sent)
		if len(claim(t, db, l, models.Take{N: 10})) != 1 {
			t.Fatal("the second text of the pair never went out")
		}
	})
}

func TestATakenOverLaneLeavesItsFormerOwnerOnlyItsLateAnswers(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		acme.Batch("b1", models.ClassBulk, "1", "ana@acme.com", 3)
		old := acquire(t, db, "w1")
		got := claim(t, db, old, models.Take{N: 2})
		clock.Add(11 * time.Second)
		if kept, err := db.RenewLanesAllTenants(context.Background(), "w1", 10*time.Second, []string{"c9"}); err != nil || len(kept) != 0 {
			t.Fatalf("a lease that ran out was renewed: %v %v", kept, err)
		}
		acquire(t, db, "w2")
		if _, _, err := db.Claim(context.Background(), old, models.Take{N: 1, Base: clock.Now()}); !errors.Is(err, models.ErrLost) {
			t.Fatalf("claim past the lease: %v", err)
		}
		if n := settle(t, db, got[0], models.Waiting); n != 0 {
			t.Error("a late answer took a message back to the queue")
		}
		if n := settle(t, db, got[0], models.Sent); n != 1 {
			t.Error("a late answer did not settle the uncertain message")
		}
		if n := settle(t, db, got[0], models.Failed); n != 0 {
			t.Error("a settled message moved back")
		}
		m, err := db.Message(context.Background(), "t_9", "", got[1].ID)
		if err != nil || m.State != models.Uncertain || m.ErrorText != models.UnknownOutcome {
			t.Errorf("the other one is %q %q, %v", m.State, m.ErrorText, err)
		}
	})
}

func TestALaneIsNotGivenUpWhenSomethingCameMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		acme.Batch("b1", models.ClassPerson, "1", "ana@acme.com", 1)
		l := acquire(t, db, "w1")
		got := claim(t, db, l, models.Take{N: 5})
		settle(t, db, got[0], models.Sent)
		acme.Batch("b2", models.ClassPerson, "1", "ana@acme.com", 1)
		if ok, err := db.ReleaseLane(context.Background(), l, nil); err != nil || ok {
			t.Fatalf("released with work in it: %v %v", ok, err)
		}
		_, wakes, err := db.Claim(context.Background(), l, models.Take{N: 5, Base: db.Now()})
		if err != nil {
			t.Fatal(err)
		}
		l.Wakes = wakes
		if ok, err := db.ReleaseLane(context.Background(), l, nil); err != nil || !ok {
			t.Fatalf("not released: %v %v", ok, err)
		}
	})
}

func TestWaitingTextsAreQueuedWhenDueAndNotBefore(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		acme.Batch("b1", models.ClassBulk, "1", "ana@acme.com", 2)
		l := acquire(t, db, "w1")
		got := claim(t, db, l, models.Take{N: 1})
		later := clock.Now().Add(time.Minute)
		if _, err := db.Settle(context.Background(), []models.Outcome{{ID: got[0].ID, Attempt: 1, State: models.Waiting, Code: "rate", Text: "slow\x00 down", DueAt: &later},
			{ID: models.NewID(), Attempt: 1, State: models.Held}}); err != nil {
			t.Fatal(err)
		}
		n, next, err := db.PromoteDue(context.Background(), l, 10)
		if err != nil || n != 0 || next == nil || !next.Equal(later) {
			t.Fatalf("before the time: %d %v %v", n, next, err)
		}
		clock.Add(time.Minute)
		if n, _, err := db.PromoteDue(context.Background(), l, 10); err != nil || n != 1 {
			t.Fatalf("at the time: %d %v", n, err)
		}
		attempts, err := db.Attempts(context.Background(), "t_9", got[0].ID)
		if err != nil || len(attempts) != 1 || attempts[0].ErrorCode != "rate" || attempts[0].ErrorText != "slow down" || !attempts[0].AnsweredAt.Equal(later.Add(-time.Minute)) {
			t.Errorf("attempts: %+v %v", attempts, err)
		}
	})
}

func TestTextsTakenBackTogetherKeepTheirOwnTimes(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		acme.Batch("b1", models.ClassBulk, "1", "ana@acme.com", 2)
		got := claim(t, db, acquire(t, db, "w1"), models.Take{N: 2})
		soon, late := clock.Now().Add(1500*time.Millisecond), clock.Now().Add(time.Minute)
		if _, err := db.Settle(context.Background(), []models.Outcome{{ID: got[0].ID, Attempt: 1, State: models.Waiting, DueAt: &soon},
			{ID: got[1].ID, Attempt: 1, State: models.Waiting, DueAt: &late}}); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Time{soon, late} {
			if m, err := db.Message(context.Background(), "t_9", "", got[i].ID); err != nil || m.DueAt == nil || !m.DueAt.Equal(want) {
				t.Errorf("text %d is due %v, want %v, %v", i, m.DueAt, want, err)
			}
		}
	})
}

func TestCountsAddUpAndABatchEndsWhenNothingIsLeft(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		ctx := context.Background()
		acme := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		acme.Batch("b1", models.ClassBulk, "1", "ana@acme.com", 4)
		l := acquire(t, db, "w1")
		got := claim(t, db, l, models.Take{N: 4})
		for i, state := range []string{models.Sent, models.Failed, models.Uncertain, models.Sent} {
			if b, err := db.Batch(ctx, "t_9", "", "b1"); err != nil || b.State != models.BatchSending {
				t.Fatalf("batch is %s before the last text, %v", b.State, err)
			}
			settle(t, db, got[i], state)
		}
		b, err := db.Batch(ctx, "t_9", "", "b1")
		if err != nil || b.State != models.BatchDone || b.FinishedAt == nil {
			t.Errorf("batch is %s, %v", b.State, err)
		}
		c, err := db.CountMessages(ctx, "t_9", []string{"b1"})
		if got := c["b1"]; err != nil || got.Sum() != 4 || got.Sent != 2 || got.Failed != 1 || got.Uncertain != 1 {
			t.Errorf("counts %+v %v", got, err)
		}
	})
}
