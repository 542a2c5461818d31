package ledgertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

func claimInOrder(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db).Account("2", "ben@acme.com", "+14155550101")
	acme.Batch("bulk-ana", ledger.ClassBulk, "1", "ana@acme.com", 50)
	acme.Batch("bulk-ben", ledger.ClassBulk, "2", "ben@acme.com", 3)
	acme.Batch("one-ben", ledger.ClassPerson, "2", "ben@acme.com", 1)
	l := acquire(t, db, "w1")
	var order []string
	for len(order) < 8 {
		got := claim(t, db, l, ledger.ClaimSize{N: 1})
		if len(got) != 1 {
			t.Fatalf("claimed %d", len(got))
		}
		order = append(order, got[0].BatchID)
		settle(t, db, got[0], ledger.Sent)
	}
	want := []string{"one-ben", "bulk-ana", "bulk-ben", "bulk-ana", "bulk-ben", "bulk-ana", "bulk-ben", "bulk-ana"}
	for i := range want {
		if i > 0 && i < 7 && (order[i] == order[i+1] || order[i][:4] != "bulk") || i == 0 && order[0] != "one-ben" {
			t.Fatalf("served %v, want turns like %v", order, want)
		}
	}
}

func claimReadsFacts(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db)
	m := acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
	if _, err := db.Suppressions.Add(context.Background(), "t_9", m[1].ToNumber, models.OptOutCRM, ""); err != nil {
		t.Fatal(err)
	}
	got := claim(t, db, acquire(t, db, "w1"), ledger.ClaimSize{N: 10, LowerClass: 1, MaxLowerClass: 2})
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
}

func oneInFlightPerPair(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassPerson, "1", "ana@acme.com", 1)
	acme.Batch("b2", ledger.ClassPerson, "1", "ana@acme.com", 1)
	l := acquire(t, db, "w1")
	first := claim(t, db, l, ledger.ClaimSize{N: 10})
	if len(first) != 1 || len(claim(t, db, l, ledger.ClaimSize{N: 10})) != 0 {
		t.Fatalf("both texts of a pair went out together")
	}
	settle(t, db, first[0], ledger.Sent)
	if len(claim(t, db, l, ledger.ClaimSize{N: 10})) != 1 {
		t.Fatal("the second text of the pair never went out")
	}
}

func takeover(t *testing.T, db *seed.DB, clock *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 3)
	old := acquire(t, db, "w1")
	got := claim(t, db, old, ledger.ClaimSize{N: 2})
	clock.Add(11 * time.Second)
	if kept, err := db.Lanes.RenewAllTenants(context.Background(), "w1", 10*time.Second, []string{"c9"}); err != nil || len(kept) != 0 {
		t.Fatalf("a lease that ran out was renewed: %v %v", kept, err)
	}
	acquire(t, db, "w2")
	if _, _, err := db.Lanes.Claim(context.Background(), old, ledger.ClaimSize{N: 1, Base: clock.Now()}); !errors.Is(err, models.ErrLost) {
		t.Fatalf("claim past the lease: %v", err)
	}
	if n := settle(t, db, got[0], ledger.Waiting); n != 0 {
		t.Error("a late answer took a message back to the queue")
	}
	if n := settle(t, db, got[0], ledger.Sent); n != 1 {
		t.Error("a late answer did not settle the uncertain message")
	}
	if n := settle(t, db, got[0], ledger.Failed); n != 0 {
		t.Error("a settled message moved back")
	}
	m, err := db.Messages.Get(context.Background(), "t_9", "", got[1].ID)
	if err != nil || m.State != ledger.Uncertain || m.ErrorText != ledger.UnknownOutcome {
		t.Errorf("the other one is %q %q, %v", m.State, m.ErrorText, err)
	}
}

func releaseAfterAddition(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassPerson, "1", "ana@acme.com", 1)
	l := acquire(t, db, "w1")
	got := claim(t, db, l, ledger.ClaimSize{N: 5})
	settle(t, db, got[0], ledger.Sent)
	acme.Batch("b2", ledger.ClassPerson, "1", "ana@acme.com", 1)
	if ok, err := db.Lanes.Release(context.Background(), l, nil); err != nil || ok {
		t.Fatalf("released with work in it: %v %v", ok, err)
	}
	_, additions, err := db.Lanes.Claim(context.Background(), l, ledger.ClaimSize{N: 5, Base: db.Now()})
	if err != nil {
		t.Fatal(err)
	}
	l.Additions = additions
	if ok, err := db.Lanes.Release(context.Background(), l, nil); err != nil || !ok {
		t.Fatalf("not released: %v %v", ok, err)
	}
}

func queueWhenDue(t *testing.T, db *seed.DB, clock *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
	l := acquire(t, db, "w1")
	got := claim(t, db, l, ledger.ClaimSize{N: 1})
	later := clock.Now().Add(time.Minute)
	if _, err := db.Settle(context.Background(), []ledger.Outcome{{ID: got[0].ID, Attempt: 1, State: ledger.Waiting, Code: "rate", Text: "slow\x00 down", DueAt: &later},
		{ID: models.NewID(), Attempt: 1, State: ledger.Held}}); err != nil {
		t.Fatal(err)
	}
	n, next, err := db.Lanes.QueueDue(context.Background(), l, 10)
	if err != nil || n != 0 || next == nil || !next.Equal(later) {
		t.Fatalf("before the time: %d %v %v", n, next, err)
	}
	clock.Add(time.Minute)
	if n, _, err := db.Lanes.QueueDue(context.Background(), l, 10); err != nil || n != 1 {
		t.Fatalf("at the time: %d %v", n, err)
	}
	attempts, err := db.Messages.Attempts(context.Background(), "t_9", got[0].ID)
	if err != nil || len(attempts) != 1 || attempts[0].ErrorCode != "rate" || attempts[0].ErrorText != "slow down" || !attempts[0].AnsweredAt.Equal(later.Add(-time.Minute)) {
		t.Errorf("attempts: %+v %v", attempts, err)
	}
}

func requeuedAtOwnTime(t *testing.T, db *seed.DB, clock *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
	got := claim(t, db, acquire(t, db, "w1"), ledger.ClaimSize{N: 2})
	soon, late := clock.Now().Add(1500*time.Millisecond), clock.Now().Add(time.Minute)
	if _, err := db.Settle(context.Background(), []ledger.Outcome{{ID: got[0].ID, Attempt: 1, State: ledger.Waiting, DueAt: &soon},
		{ID: got[1].ID, Attempt: 1, State: ledger.Waiting, DueAt: &late}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Time{soon, late} {
		if m, err := db.Messages.Get(context.Background(), "t_9", "", got[i].ID); err != nil || m.DueAt == nil || !m.DueAt.Equal(want) {
			t.Errorf("text %d is due %v, want %v, %v", i, m.DueAt, want, err)
		}
	}
}

func batchEnds(t *testing.T, db *seed.DB, _ *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 4)
	l := acquire(t, db, "w1")
	got := claim(t, db, l, ledger.ClaimSize{N: 4})
	for i, state := range []string{ledger.Sent, ledger.Failed, ledger.Uncertain, ledger.Sent} {
		if b, err := db.Batches.Get(ctx, "t_9", "", "b1"); err != nil || b.State != ledger.BatchSending {
			t.Fatalf("batch is %s before the last text, %v", b.State, err)
		}
		settle(t, db, got[i], state)
	}
	b, err := db.Batches.Get(ctx, "t_9", "", "b1")
	if err != nil || b.State != ledger.BatchDone || b.FinishedAt == nil {
		t.Errorf("batch is %s, %v", b.State, err)
	}
	c, err := db.Messages.CountByBatch(ctx, "t_9", []string{"b1"})
	if got := c["b1"]; err != nil || got.Sum() != 4 || got.Sent != 2 || got.Failed != 1 || got.Uncertain != 1 {
		t.Errorf("counts %+v %v", got, err)
	}
}
