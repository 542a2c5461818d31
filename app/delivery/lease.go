package delivery

import (
	"context"
	"sync"
	"time"
)

const (
	maxAcquire = 200 // lanes in one query
	// acquireAhead is how long before it is due a lane is leased. What it needs
	// is read by then, so texts that are due together leave together.
	acquireAhead = time.Second
	maxRenew     = 1000 // lanes in one query
)

// acquireLanes leases due lanes and starts a drain for each, until ctx ends.
// The lanes of a worker that died are due when their lease has run out.
func (e *Engine) acquireLanes(ctx context.Context, drains *sync.WaitGroup) {
	t := time.NewTicker(e.cfg.Poll)
	defer t.Stop()
	for ctx.Err() == nil {
		n, err := e.acquireRound(ctx, func(l *lane) { drains.Go(func() { e.drain(ctx, l) }) })
		if err != nil && ctx.Err() == nil {
			e.cfg.Log.Error("acquire due lanes failed", "err", err)
		}
		if n == maxAcquire {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-e.notify:
		}
	}
}

// acquireRound leases due lanes, starts each and returns how many they were.
func (e *Engine) acquireRound(ctx context.Context, start func(*lane)) (int, error) {
	room := min(maxAcquire, e.cfg.Lanes-e.Lanes())
	if room <= 0 {
		return 0, nil
	}
	rows, err := e.store.Lanes.AcquireAllTenants(ctx, e.cfg.WorkerID, e.cfg.Lease, acquireAhead, room)
	for _, row := range rows {
		l := e.newLane(row)
		e.mu.Lock()
		e.lanes[row.ID] = l
		e.mu.Unlock()
		start(l)
	}
	return len(rows), err
}

// renewLeases extends the leases of all lanes held.
// A lane whose lease is lost claims nothing more.
func (e *Engine) renewLeases(ctx context.Context) {
	e.mu.Lock()
	ids := make([]string, 0, len(e.lanes))
	for id := range e.lanes {
		ids = append(ids, id)
	}
	e.mu.Unlock()
	// Read the clock before the database extends the lease: the
	// end that we know must not be later than the real one.
	until := e.cfg.Now().Add(e.cfg.Lease)
	for len(ids) > 0 {
		n := min(len(ids), maxRenew)
		kept, err := e.store.Lanes.RenewAllTenants(ctx, e.cfg.WorkerID, e.cfg.Lease, ids[:n])
		if err != nil {
			e.cfg.Log.Error("renew leases failed", "err", err)
			return
		}
		e.mu.Lock()
		for _, id := range ids[:n] {
			if l := e.lanes[id]; l != nil && kept[id] {
				l.leaseUntil.Store(until.UnixNano())
			} else if l != nil {
				l.leaseUntil.Store(0)
			}
		}
		e.mu.Unlock()
		ids = ids[n:]
	}
}

// hasLease reports whether the lease is still valid by this
// process's clock. The database decides at each claim.
func (l *lane) hasLease(now time.Time) bool { return now.UnixNano() < l.leaseUntil.Load() }

// release ends the lease of an empty lane. It reports false and
// keeps the lease if texts were added or requeued meanwhile.
func (e *Engine) release(ctx context.Context, l *lane) (bool, error) {
	if l.requeued.Load() || !l.nothingAdded() {
		return false, nil
	}
	l.Lane.LeaseOwner = e.cfg.WorkerID
	return e.store.Lanes.Release(ctx, l.Lane, l.nextDue)
}

// forget removes a lane whose drain has ended. By then
// this process may have leased the same lane again.
func (e *Engine) forget(l *lane) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lanes[l.ID] == l {
		delete(e.lanes, l.ID)
	}
}
