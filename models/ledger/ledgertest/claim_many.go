package ledgertest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// lanesOf seeds a company with texts for each size and returns
// the leased lanes in that order.
func lanesOf(t *testing.T, db *seed.DB, sizes ...int) []ledger.Lane {
	t.Helper()
	order := map[string]int{}
	for i, n := range sizes {
		id := string(rune('a' + i))
		order["c"+id] = i
		db.Tenant("t_"+id).Connected("c"+id).Account("1", "ana@acme.com", "+14155550100").Batch("b"+id, ledger.ClassBulk, "1", "ana@acme.com", n)
		if err := db.Lanes.MarkDue(context.Background(), "t_"+id, "c"+id, db.Now()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.Lanes.AcquireAllTenants(context.Background(), "w1", 10*time.Second, 0, 100)
	if err != nil || len(got) != len(sizes) {
		t.Fatalf("acquired %d, %v", len(got), err)
	}
	lanes := make([]ledger.Lane, len(got))
	for _, l := range got {
		lanes[order[l.ID]] = l
	}
	return lanes
}

func takes(db *seed.DB, n int, lanes ...ledger.Lane) []ledger.ClaimRequest {
	var out []ledger.ClaimRequest
	for _, l := range lanes {
		out = append(out, ledger.ClaimRequest{Lane: l, ClaimSize: ledger.ClaimSize{N: n, Base: db.Now(), Interval: time.Second}})
	}
	return out
}

// shape is the number of texts that each lane got, or why none.
func shape(got []ledger.ClaimResult) []any {
	var out []any
	for _, g := range got {
		switch {
		case g.Busy:
			out = append(out, "busy")
		case g.Lost:
			out = append(out, "lost")
		default:
			out = append(out, len(g.Messages))
		}
	}
	return out
}

func claimMany(t *testing.T, db *seed.DB, clock *seed.Clock) {
	lanes := lanesOf(t, db, 3, 0, 5, 1)
	clock.Add(time.Second)
	other := lanes[2]
	other.Fence-- // leased by another worker
	got, err := db.Lanes.ClaimMany(context.Background(), takes(db, 2, lanes[0], lanes[1], other, lanes[3]))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{2, 0, "lost", 1}, shape(got)); diff != "" {
		t.Error(diff)
	}
	for i, texts := range []int{2, 0, 0, 1} {
		l, err := db.Lanes.Get(context.Background(), lanes[i].TenantID, lanes[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range got[i].Messages {
			if c.TenantID != l.TenantID {
				t.Errorf("lane %s got a text of %s", l.ID, c.TenantID)
			}
		}
		if l.Served != int64(texts) || got[i].Messages != nil && got[i].Additions != l.Additions {
			t.Errorf("lane %s served %d, %d additions", l.ID, l.Served, l.Additions)
		}
		if i != 2 && !l.SlotAt.Equal(clock.Now().Add(time.Duration(texts)*time.Second)) {
			t.Errorf("lane %s has its next slot at %v", l.ID, l.SlotAt)
		}
	}
}

// claimManyOldLease claims with a lost and a new lease at once,
// in either order.
func claimManyOldLease(order [2]int) func(t *testing.T, db *seed.DB, clock *seed.Clock) {
	return func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		lost := lanesOf(t, db, 5)[0]
		clock.Add(time.Minute)
		again, err := db.Lanes.AcquireAllTenants(context.Background(), "w1", 10*time.Second, 0, 1)
		if err != nil || len(again) != 1 || again[0].ID != lost.ID {
			t.Fatal(again, err)
		}
		both := []ledger.Lane{lost, again[0]}
		got, err := db.Lanes.ClaimMany(context.Background(), takes(db, 3, both[order[0]], both[order[1]]))
		if err != nil {
			t.Fatal(err)
		}
		for i, lease := range order {
			if n, want := len(got[i].Messages), 3*lease; n != want || got[i].Lost != (lease == 0) {
				t.Errorf("by lease %d of 2: %d texts instead of %d, lost %t", lease+1, n, want, got[i].Lost)
			}
		}
	}
}

// ClaimManySkipsLocked checks that a claim waits for no lock on a lane
// or text. It needs row locks and the real clock.
func ClaimManySkipsLocked(t *testing.T, db *seed.DB) {
	t.Helper()
	lanes := lanesOf(t, db, 2, 2, 2)
	held, over := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		ctx := context.Background()
		done <- db.Tx(ctx, func(tx *models.Store) error {
			if err := tx.Lanes.MarkDue(ctx, lanes[0].TenantID, lanes[0].ID, time.Now()); err != nil {
				return err
			}
			_, err := tx.Messages.ChangeState(ctx, lanes[1].TenantID, "bb", []string{ledger.Queued}, ledger.Cancelled, "cancelled", "", 1)
			close(held)
			<-over
			return err
		})
	}()
	<-held
	got, err := db.Lanes.ClaimMany(context.Background(), takes(db, 2, lanes...))
	close(over)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{"busy", 1, 2}, shape(got)); diff != "" {
		t.Error(diff)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got, err = db.Lanes.ClaimMany(context.Background(), takes(db, 2, lanes...)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{2, 0, 0}, shape(got)); diff != "" {
		t.Error("afterwards:", diff)
	}
}
