package timeline

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"dialpad-texting/models"
)

const (
	// leaseTime is when another worker takes a dead one's timelines over.
	leaseTime = 15 * time.Second
	// tenantsAtOnce is how many tenants' timelines a worker writes at once. A
	// CRM that hangs keeps one place, for runTimeout.
	tenantsAtOnce = 32
	runTimeout    = 20 * time.Second
	// restTime is how long a tenant rests between the starts of two runs, so
	// that what changes all the time goes in pages.
	restTime = 2 * time.Second
)

// Rounds keeps the timelines of all tenants up to date, each tenant's apart
// from the others'. A tenant's timeline is written by one worker at a time.
// One per process.
type Rounds struct {
	store  *models.Store
	syncer *Syncer
	owner  string
	log    *slog.Logger
	runs   sync.WaitGroup

	mu      sync.Mutex
	tenants map[string]*tenantState
}

// tenantState is what this process knows of a tenant with pending changes.
type tenantState struct {
	running   bool
	startAt   time.Time // not before
	leasedTo  time.Time // by this process's clock
	failures  int       // runs that failed, one after another
	lastFound time.Time // when it last had pending changes
}

// NewRounds returns Rounds for a worker with an id of its own.
func NewRounds(store *models.Store, syncer *Syncer, owner string, log *slog.Logger) *Rounds {
	return &Rounds{store: store, syncer: syncer, owner: owner, log: log, tenants: map[string]*tenantState{}}
}

// Start starts a run for each tenant that has pending changes, is due and is
// not another worker's, as many as there is room for, and returns how many it
// started. It does not wait for them.
func (r *Rounds) Start(ctx context.Context) (started int, err error) {
	pending, err := r.store.Timelines.PendingAllTenants(ctx)
	if err != nil {
		return 0, err
	}
	answered, err := r.store.Replies.PendingAllTenants(ctx)
	if err != nil {
		return 0, err
	}
	pending = append(pending, answered...)
	slices.Sort(pending)
	due := r.due(slices.Compact(pending))
	if err := r.lease(ctx, due); err != nil {
		return 0, err
	}
	for _, tenantID := range due {
		if r.begin(tenantID) {
			r.runs.Go(func() { r.run(ctx, tenantID) })
			started++
		}
	}
	return started, nil
}

// Stop waits for the runs, which end with the context of Start, and gives up
// the leases.
func (r *Rounds) Stop(ctx context.Context) error {
	r.runs.Wait()
	return r.store.Timelines.ReleaseAllTenants(ctx, r.owner)
}

// Running returns how many tenants' timelines are being written now.
func (r *Rounds) Running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running()
}

// running is Running for callers that hold mu.
func (r *Rounds) running() (n int) {
	for _, t := range r.tenants {
		if t.running {
			n++
		}
	}
	return n
}

// due returns the tenants that may be run now, and forgets those
// without changes.
func (r *Rounds) due(pending []string) []string {
	now := r.store.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var due []string
	for _, id := range pending {
		t := r.tenants[id]
		if t == nil {
			t = &tenantState{}
			r.tenants[id] = t
		}
		t.lastFound = now
		if !t.running && !now.Before(t.startAt) {
			due = append(due, id)
		}
	}
	for id, t := range r.tenants {
		if !t.running && now.Sub(t.lastFound) > leaseTime && now.After(t.startAt) {
			delete(r.tenants, id)
		}
	}
	return due
}

// lease leases the timelines of the tenants that are due, and renews those of
// the running ones.
func (r *Rounds) lease(ctx context.Context, due []string) error {
	now := r.store.Now()
	var wanted []string
	r.mu.Lock()
	for id, t := range r.tenants {
		if (t.running || slices.Contains(due, id)) && t.leasedTo.Sub(now) < leaseTime/2 {
			wanted = append(wanted, id)
		}
	}
	r.mu.Unlock()
	if len(wanted) == 0 {
		return nil
	}
	held, err := r.store.Timelines.LeaseAllTenants(ctx, r.owner, wanted, leaseTime)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range held {
		r.tenants[id].leasedTo = now.Add(leaseTime)
	}
	return nil
}

// begin reports whether a run of a tenant may start, and notes that it does.
// Where there is no room it begins in a later round.
func (r *Rounds) begin(tenantID string) bool {
	now := r.store.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tenants[tenantID]
	if !now.Before(t.leasedTo) || r.running() >= tenantsAtOnce {
		return false
	}
	t.running, t.startAt = true, now.Add(restTime)
	return true
}

func (r *Rounds) run(ctx context.Context, tenantID string) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	_, err := r.syncer.SyncPending(ctx, tenantID)
	if err != nil && !errors.Is(err, context.Canceled) {
		r.log.Warn("timeline sync failed", "tenant", tenantID, "err", err)
	}
	r.end(tenantID, err)
}

// end notes that a run ended. After an error the tenant waits, each time twice
// as long.
func (r *Rounds) end(tenantID string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tenants[tenantID]
	t.running = false
	if err == nil {
		t.failures = 0
		return
	}
	t.failures++
	t.startAt = r.store.Now().Add(min(time.Second<<min(t.failures, 6), time.Minute))
}
