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

// acquireLanes creates a tenant with a batch for each size, and
// returns their leased lanes in that order.
func acquireLanes(t *testing.T, db *seed.DB, sizes ...int) []ledger.Lane {
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
	acquired, err := db.Lanes.AcquireAllTenants(context.Background(), "w1", 10*time.Second, 0, 100)
	if err != nil || len(acquired) != len(sizes) {
		t.Fatalf("acquired %d lanes, %v; want %d", len(acquired), err, len(sizes))
	}
	lanes := make([]ledger.Lane, len(acquired))
	for _, l := range acquired {
		lanes[order[l.ID]] = l
	}
	return lanes
}

// requestsFor returns requests of n messages of each lane.
func requestsFor(db *seed.DB, n int, lanes ...ledger.Lane) []ledger.ClaimRequest {
	var out []ledger.ClaimRequest
	for _, l := range lanes {
		out = append(out, ledger.ClaimRequest{Lane: l, ClaimParams: ledger.ClaimParams{N: n, Base: db.Now(), Interval: time.Second}})
	}
	return out
}

// summarize returns for each result "busy", "lost" or the number of
// messages.
func summarize(results []ledger.ClaimResult) []any {
	var out []any
	for _, r := range results {
		switch {
		case r.Busy:
			out = append(out, "busy")
		case r.Lost:
			out = append(out, "lost")
		default:
			out = append(out, len(r.Messages))
		}
	}
	return out
}

func claimMany(t *testing.T, db *seed.DB, clock *seed.Clock) {
	lanes := acquireLanes(t, db, 3, 0, 5, 1)
	clock.Add(time.Second)
	lost := lanes[2]
	lost.Fence-- // as if it was leased again
	results, err := db.Lanes.ClaimMany(context.Background(), requestsFor(db, 2, lanes[0], lanes[1], lost, lanes[3]))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{2, 0, "lost", 1}, summarize(results)); diff != "" {
		t.Errorf("results: %s", diff)
	}
	for i, n := range []int{2, 0, 0, 1} {
		l, err := db.Lanes.Get(context.Background(), lanes[i].TenantID, lanes[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range results[i].Messages {
			if c.TenantID != l.TenantID {
				t.Errorf("the claim of lane %s returned a message of tenant %s", l.ID, c.TenantID)
			}
		}
		if l.Served != int64(n) || results[i].Messages != nil && results[i].Additions != l.Additions {
			t.Errorf("lane %s has served %d messages and has %d additions; want %d served", l.ID, l.Served, l.Additions, n)
		}
		if i != 2 && !l.SlotAt.Equal(clock.Now().Add(time.Duration(n)*time.Second)) {
			t.Errorf("lane %s has its next slot at %v", l.ID, l.SlotAt)
		}
	}
}

// claimManyTwoLeases claims a lane with a lost lease (0) and the
// present one (1) at once, in the given order.
func claimManyTwoLeases(order [2]int) func(t *testing.T, db *seed.DB, clock *seed.Clock) {
	return func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		lost := acquireLanes(t, db, 5)[0]
		clock.Add(time.Minute)
		leases := []ledger.Lane{lost, acquireByID(t, db, lost.ID)}
		results, err := db.Lanes.ClaimMany(context.Background(), requestsFor(db, 3, leases[order[0]], leases[order[1]]))
		if err != nil {
			t.Fatal(err)
		}
		for i, lease := range order {
			if n, want := len(results[i].Messages), 3*lease; n != want || results[i].Lost != (lease == 0) {
				t.Errorf("lease %d: %d messages, lost %t; want %d messages", lease, n, results[i].Lost, want)
			}
		}
	}
}

// ClaimManySkipsLocked checks that locks on one lane, on its row or a
// message, do not delay the claim of others. It needs a database with
// row locks and the real clock.
func ClaimManySkipsLocked(t *testing.T, db *seed.DB) {
	t.Helper()
	lanes := acquireLanes(t, db, 2, 2, 2)
	unlock := lockLaneAndMessage(db, lanes[0], lanes[1])
	results, err := db.Lanes.ClaimMany(context.Background(), requestsFor(db, 2, lanes...))
	if unlockErr := unlock(); err != nil || unlockErr != nil {
		t.Fatal(err, unlockErr)
	}
	if diff := cmp.Diff([]any{"busy", 1, 2}, summarize(results)); diff != "" {
		t.Errorf("while locked: %s", diff)
	}
	if results, err = db.Lanes.ClaimMany(context.Background(), requestsFor(db, 2, lanes...)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{2, 0, 0}, summarize(results)); diff != "" {
		t.Errorf("after unlocking: %s", diff)
	}
}

// lockLaneAndMessage locks a lane's row, and a message of the batch
// "bb" in another, which it cancels, until unlock is called.
func lockLaneAndMessage(db *seed.DB, l, other ledger.Lane) (unlock func() error) {
	locked, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		ctx := context.Background()
		done <- db.Tx(ctx, func(tx *models.Store) error {
			err := tx.Lanes.MarkDue(ctx, l.TenantID, l.ID, time.Now())
			if err == nil {
				_, err = tx.Messages.ChangeState(ctx, other.TenantID, "bb", []string{ledger.Queued}, ledger.Cancelled, "cancelled", "", 1)
			}
			close(locked)
			<-release
			return err
		})
	}()
	<-locked
	return func() error {
		close(release)
		return <-done
	}
}
