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

func claimOrder(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db).Account("2", "ben@acme.com", "+14155550101")
	acme.Batch("bulk-ana", ledger.ClassBulk, "1", "ana@acme.com", 50)
	acme.Batch("bulk-ben", ledger.ClassBulk, "2", "ben@acme.com", 3)
	acme.Batch("one-ben", ledger.ClassOneToOne, "2", "ben@acme.com", 1)
	l := acquire(t, db, "w1")
	var order []string
	for len(order) < 8 {
		claimed := claim(t, db, l, ledger.ClaimParams{N: 1})
		if len(claimed) != 1 {
			t.Fatalf("claimed %d messages, want 1", len(claimed))
		}
		order = append(order, claimed[0].BatchID)
		settle(t, db, claimed[0], ledger.Sent)
	}
	want := []string{"one-ben", "bulk-ana", "bulk-ben", "bulk-ana", "bulk-ben", "bulk-ana", "bulk-ben", "bulk-ana"}
	for i := range want {
		if i > 0 && i < 7 && (order[i] == order[i+1] || order[i][:4] != "bulk") || i == 0 && order[0] != "one-ben" {
			t.Fatalf("claimed from %v, want turns like %v", order, want)
		}
	}
}

func claimReadsFacts(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db)
	messages := acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
	if _, err := db.Suppressions.Add(context.Background(), "t_9", messages[1].ToNumber, models.OptOutCRM, ""); err != nil {
		t.Fatal(err)
	}
	claimed := claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: 10, LowClassQuota: 1, LowClassLimit: 2})
	if len(claimed) != 2 {
		t.Fatalf("claimed %d messages, want 2", len(claimed))
	}
	c := claimed[0]
	if c.Suppressed || !claimed[1].Suppressed {
		t.Errorf("suppressed: %v, %v; want only the second", c.Suppressed, claimed[1].Suppressed)
	}
	if c.FromNumber != acmeNumber || c.SenderState != "active" || !c.SenderMatches || c.SenderStale || c.SenderCheckedAt == nil ||
		c.Plan != "business" || c.InstallState != models.Installed || c.ConnectionState != models.Connected || !c.ConnectionReady || c.Attempt != 1 {
		t.Errorf("the claim read other facts: %+v", c)
	}
}

func oneInFlightPerPair(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
	acme.Batch("b2", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
	l := acquire(t, db, "w1")
	first := claim(t, db, l, ledger.ClaimParams{N: 10})
	if len(first) != 1 || len(claim(t, db, l, ledger.ClaimParams{N: 10})) != 0 {
		t.Fatalf("two messages of a pair are sending at once")
	}
	settle(t, db, first[0], ledger.Sent)
	if len(claim(t, db, l, ledger.ClaimParams{N: 10})) != 1 {
		t.Fatal("the second message of the pair was not claimed")
	}
}

func takeover(t *testing.T, db *seed.DB, clock *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 4)
	ended := acquire(t, db, "w1")
	claimed := claim(t, db, ended, ledger.ClaimParams{N: 3})
	if checks := markPosted(t, db, claimed[:2]...); !checks[0].Owned || !checks[1].Owned {
		t.Fatalf("the owner may not post: %+v", checks)
	}
	clock.Add(11 * time.Second)
	if renewed, err := db.Lanes.RenewAllTenants(context.Background(), "w1", 10*time.Second, []string{"c9"}); err != nil || len(renewed) != 0 {
		t.Fatalf("an ended lease was renewed: %v, %v", renewed, err)
	}
	next := acquire(t, db, "w2")
	if _, _, err := db.Lanes.Claim(context.Background(), ended, ledger.ClaimParams{N: 1, Base: clock.Now()}); !errors.Is(err, models.ErrLost) {
		t.Fatalf("claim with an ended lease: error %v, want ErrLost", err)
	}
	if n := settle(t, db, claimed[0], ledger.Waiting); n != 0 {
		t.Error("a late outcome queued a message again")
	}
	if n := settle(t, db, claimed[0], ledger.Sent); n != 1 {
		t.Error("a late outcome did not settle the uncertain message")
	}
	if n := settle(t, db, claimed[0], ledger.Failed); n != 0 {
		t.Error("a later outcome changed a settled message")
	}
	if m := getMessage(t, db, claimed[1].ID); m.State != ledger.Uncertain || m.ErrorText != ledger.UnknownOutcome {
		t.Errorf("the other message is %s with %q, want uncertain", m.State, m.ErrorText)
	}
	unposted := claimed[2]
	if m := getMessage(t, db, unposted.ID); m.State != ledger.Queued || m.ErrorText != "" || m.SettledAt != nil {
		t.Errorf("the message without a request is %s with %q, want queued", m.State, m.ErrorText)
	}
	again := claim(t, db, next, ledger.ClaimParams{N: 1})
	if len(again) != 1 || again[0].ID != unposted.ID || again[0].Attempt != 2 {
		t.Fatalf("claimed again: %+v", again)
	}
	if checks := markPosted(t, db, unposted, again[0]); checks[0].Owned || !checks[1].Owned {
		t.Errorf("may post: %t by the former owner, %t by the present one", checks[0].Owned, checks[1].Owned)
	}
	if n := settle(t, db, unposted, ledger.Sent); n != 0 {
		t.Error("an outcome of the former owner settled the new attempt")
	}
}

// postedReadsOptOuts opts a recipient out after the claim.
func postedReadsOptOuts(t *testing.T, db *seed.DB, clock *seed.Clock) {
	seedAcme(db).Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 3)
	claimed := claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: 3})
	if _, err := db.Suppressions.Add(context.Background(), "t_9", claimed[1].ToNumber, models.OptOutReply, ""); err != nil {
		t.Fatal(err)
	}
	if err := db.Suppressions.AddReview(context.Background(), "t_9", models.Said{Number: claimed[2].ToNumber, At: clock.Now()}); err != nil {
		t.Fatal(err)
	}
	checks := markPosted(t, db, claimed...)
	if checks[0].Suppressed || !checks[1].Suppressed || checks[2].Suppressed || checks[1].ReviewSince != nil ||
		checks[2].ReviewSince == nil || !checks[2].ReviewSince.Equal(clock.Now()) {
		t.Errorf("%+v", checks)
	}
}

func releaseAfterAddition(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
	l := acquire(t, db, "w1")
	settle(t, db, claim(t, db, l, ledger.ClaimParams{N: 5})[0], ledger.Sent)
	acme.Batch("b2", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
	if released, err := db.Lanes.Release(context.Background(), l, nil); err != nil || released {
		t.Fatalf("released after an addition: %t, %v", released, err)
	}
	_, additions, err := db.Lanes.Claim(context.Background(), l, ledger.ClaimParams{N: 5, Base: db.Now()})
	if err != nil {
		t.Fatal(err)
	}
	l.Additions = additions
	if released, err := db.Lanes.Release(context.Background(), l, nil); err != nil || !released {
		t.Fatalf("released without an addition: %t, %v", released, err)
	}
}

func queueWhenDue(t *testing.T, db *seed.DB, clock *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
	l := acquire(t, db, "w1")
	c := claim(t, db, l, ledger.ClaimParams{N: 1})[0]
	due := clock.Now().Add(time.Minute)
	if _, err := db.Settle(context.Background(), []ledger.Outcome{{ID: c.ID, Attempt: 1, State: ledger.Waiting, Code: "rate", Text: "slow\x00 down", DueAt: &due},
		{ID: models.NewID(), Attempt: 1, State: ledger.Held}}); err != nil {
		t.Fatal(err)
	}
	n, next, err := db.Lanes.QueueDue(context.Background(), l, 10)
	if err != nil || n != 0 || next == nil || !next.Equal(due) {
		t.Fatalf("before it is due: queued %d, next due %v, %v", n, next, err)
	}
	clock.Add(time.Minute)
	if n, _, err := db.Lanes.QueueDue(context.Background(), l, 10); err != nil || n != 1 {
		t.Fatalf("when it is due: queued %d, %v", n, err)
	}
	attempts, err := db.Messages.Attempts(context.Background(), "t_9", c.ID)
	if err != nil || len(attempts) != 1 || attempts[0].ErrorCode != "rate" || attempts[0].ErrorText != "slow down" || !attempts[0].AnsweredAt.Equal(due.Add(-time.Minute)) {
		t.Errorf("stored attempts: %+v, %v", attempts, err)
	}
}

func settleKeepsOwnDueTimes(t *testing.T, db *seed.DB, clock *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
	claimed := claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: 2})
	soon, late := clock.Now().Add(1500*time.Millisecond), clock.Now().Add(time.Minute)
	if _, err := db.Settle(context.Background(), []ledger.Outcome{{ID: claimed[0].ID, Attempt: 1, State: ledger.Waiting, DueAt: &soon},
		{ID: claimed[1].ID, Attempt: 1, State: ledger.Waiting, DueAt: &late}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Time{soon, late} {
		if m := getMessage(t, db, claimed[i].ID); m.DueAt == nil || !m.DueAt.Equal(want) {
			t.Errorf("message %d is due %v, want %v", i, m.DueAt, want)
		}
	}
}

func batchFinishes(t *testing.T, db *seed.DB, _ *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 4)
	claimed := claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: 4})
	for i, state := range []string{ledger.Sent, ledger.Failed, ledger.Uncertain, ledger.Sent} {
		if b := getBatch(t, db, "b1"); b.State != ledger.BatchSending {
			t.Fatalf("the batch is %s before its last message is settled", b.State)
		}
		settle(t, db, claimed[i], state)
	}
	if b := getBatch(t, db, "b1"); b.State != ledger.BatchDone || b.FinishedAt == nil {
		t.Errorf("the batch is %s, finished at %v; want done", b.State, b.FinishedAt)
	}
	byBatch, err := db.Counters.ByBatch(ctx, "t_9", []string{"b1"})
	if n := byBatch["b1"]; err != nil || n.Sum() != 4 || n.Sent != 2 || n.Failed != 1 || n.Uncertain != 1 {
		t.Errorf("counts: %+v, %v", n, err)
	}
}
