package timeline_test

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"dialpad-texting/app/timeline"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// tenantsCRM takes activities; those of hanging tenants last until their
// request ends.
type tenantsCRM struct {
	hanging map[string]bool

	mu    sync.Mutex
	taken map[string]int // activities by tenant
}

func (c *tenantsCRM) UpsertActivity(ctx context.Context, t crm.Tenant, _ string, _ crm.Activity) error {
	if c.hanging[t.ID] {
		<-ctx.Done()
		return &crm.Error{Kind: crm.Unavailable, Type: crm.CallActivity, Status: http.StatusServiceUnavailable, Err: ctx.Err()}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken[t.ID]++
	return nil
}

func (c *tenantsCRM) count(tenantID string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken[tenantID]
}

// changed creates a tenant with n texts whose last change is not in its
// timeline yet.
func changed(t *testing.T, db *seed.DB, clock *seed.Clock, id string, n int) {
	t.Helper()
	db.Tenant(id).Connected("c"+id).Account("1", "ana@acme.com", "+14155550100").Batch("b"+id, ledger.ClassBulk, "1", "ana@acme.com", n)
	if got, err := db.Messages.ChangeState(t.Context(), id, "b"+id, []string{ledger.Queued}, ledger.Cancelled, "", "over", 1000); err != nil || int(got) != n {
		t.Fatal(got, err)
	}
	clock.Add(time.Minute)
}

// start starts a round and fails on its error.
func start(t *testing.T, ctx context.Context, r *timeline.Rounds) int {
	t.Helper()
	n, err := r.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after a minute", what)
		}
	}
}

func eachWorker(t *testing.T, hanging map[string]bool, f func(t *testing.T, db *seed.DB, clock *seed.Clock, c *tenantsCRM, first, second *timeline.Rounds)) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		clock := seed.NewClock()
		db := seed.Store(t, dsn, clock.Now)
		c := &tenantsCRM{hanging: hanging, taken: map[string]int{}}
		worker := func(id string) *timeline.Rounds {
			return timeline.NewRounds(db.Store, timeline.New(db.Store, c), id, slog.New(slog.DiscardHandler))
		}
		f(t, db, clock, c, worker("w1"), worker("w2"))
	})
}

func TestHangingTenantDelaysNoOther(t *testing.T) {
	eachWorker(t, map[string]bool{"t_1": true}, func(t *testing.T, db *seed.DB, clock *seed.Clock, c *tenantsCRM, first, _ *timeline.Rounds) {
		ctx, cancel := context.WithCancel(t.Context())
		for _, id := range []string{"t_1", "t_2", "t_3"} {
			changed(t, db, clock, id, 20)
		}
		if n := start(t, ctx, first); n != 3 {
			t.Errorf("started %d", n)
		}
		until(t, "the others", func() bool { return c.count("t_2") == 20 && c.count("t_3") == 20 })
		if n := start(t, ctx, first); n != 0 {
			t.Errorf("started %d again while one runs and none of the others has changes", n)
		}
		changed(t, db, clock, "t_4", 5)
		if n := start(t, ctx, first); n != 1 {
			t.Errorf("started %d of a new tenant", n)
		}
		until(t, "the new one", func() bool { return c.count("t_4") == 5 })
		cancel()
		if err := first.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestTimelineIsWrittenByOneWorkerAtATime(t *testing.T) {
	eachWorker(t, map[string]bool{"t_1": true}, func(t *testing.T, db *seed.DB, clock *seed.Clock, c *tenantsCRM, first, second *timeline.Rounds) {
		ctx, cancel := context.WithCancel(t.Context())
		changed(t, db, clock, "t_1", 3)
		if n := start(t, ctx, first); n != 1 {
			t.Errorf("the first started %d", n)
		}
		if n := start(t, t.Context(), second); n != 0 {
			t.Errorf("the second started %d that the first holds", n)
		}
		cancel()
		if err := first.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		c.hanging = nil
		if n := start(t, t.Context(), second); n != 1 {
			t.Errorf("the second started %d after the first gave up", n)
		}
		until(t, "the second", func() bool { return c.count("t_1") == 3 })
		if err := second.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestFailingTenantIsTriedLater(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		clock := seed.NewClock()
		db := seed.Store(t, dsn, clock.Now)
		c := &fakeCRM{answers: map[string]int{}, asked: map[string]int{}, all: http.StatusServiceUnavailable}
		r := timeline.NewRounds(db.Store, timeline.New(db.Store, c), "w1", slog.New(slog.DiscardHandler))
		changed(t, db, clock, "t_1", 1)
		started := 0
		for range 120 { // two minutes
			started += start(t, t.Context(), r)
			until(t, "the run", func() bool { return r.Running() == 0 })
			clock.Add(time.Second)
		}
		if started < 5 || started > 8 {
			t.Errorf("a CRM that is down was asked %d times in two minutes", started)
		}
		c.mu.Lock()
		c.all = http.StatusNoContent
		c.mu.Unlock()
		clock.Add(2 * time.Minute)
		if n := start(t, t.Context(), r); n != 1 {
			t.Errorf("started %d later", n)
		}
		if err := r.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if left, err := db.Timelines.PendingAllTenants(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("pending still: %v, %v", left, err)
		}
	})
}
