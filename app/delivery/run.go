package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"dialpad-texting/models"
)

// Run drains due lanes until ctx ends. Then it claims nothing more, waits for the answers to what is on the wire,
// writes them and hands its lanes back.
func (e *Engine) Run(ctx context.Context) error {
	var settling, asking, posting, loops, drains, renewing sync.WaitGroup
	settling.Go(e.settler.run)
	// Lanes stay ours until what is on the wire is settled: with another owner it would be uncertain by then.
	leased, letGo := context.WithCancel(context.WithoutCancel(ctx))
	defer letGo()
	renewing.Go(func() { e.every(leased, e.cfg.Lease/3, e.renewRound) })
	asking.Go(e.claims.run)
	asking.Go(e.looks.run)
	for range e.cfg.Connections {
		posting.Go(e.connection)
	}
	loops.Go(func() { e.every(ctx, followEvery, e.settler.followUp) })
	e.acquireLoop(ctx, &drains)
	drains.Wait()
	close(e.claims.in)
	close(e.looks.in)
	close(e.wire)
	asking.Wait()
	posting.Wait()
	loops.Wait()
	close(e.settler.in)
	settling.Wait()
	letGo()
	renewing.Wait()
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	e.settler.followUp(back)
	if err := e.store.Lanes.ReleaseOwnedAllTenants(back, e.cfg.WorkerID); err != nil {
		return err
	}
	return ctx.Err()
}

func (e *Engine) acquireLoop(ctx context.Context, drains *sync.WaitGroup) {
	t := time.NewTicker(e.cfg.Poll)
	defer t.Stop()
	for ctx.Err() == nil {
		n, err := e.acquireRound(ctx, func(l *lane) { drains.Go(func() { e.drain(ctx, l) }) })
		if err != nil && ctx.Err() == nil {
			e.cfg.Log.Error("looking for due lanes failed", "err", err)
		}
		if n == acquireMost {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-e.wake:
		}
	}
}

const (
	acquireMost = 200
	// acquireAhead is how long before it is due a lane is taken: what it needs is read by then, and many that are due at
	// the same moment send at that moment.
	acquireAhead = time.Second
	followEvery  = 50 * time.Millisecond
)

// acquireRound leases due lanes and starts each.
func (e *Engine) acquireRound(ctx context.Context, start func(*lane)) (int, error) {
	e.mu.Lock()
	room := min(acquireMost, e.cfg.Lanes-len(e.lanes))
	e.mu.Unlock()
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

// renewRound extends the leases of all lanes held; one that is lost stops claiming.
func (e *Engine) renewRound(ctx context.Context) {
	e.mu.Lock()
	ids := make([]string, 0, len(e.lanes))
	for id := range e.lanes {
		ids = append(ids, id)
	}
	e.mu.Unlock()
	// The clock is read before the database extends: the lease as we know it must not outlast the real one.
	until := e.cfg.Now().Add(e.cfg.Lease)
	for len(ids) > 0 {
		n := min(len(ids), 1000)
		kept, err := e.store.Lanes.RenewAllTenants(ctx, e.cfg.WorkerID, e.cfg.Lease, ids[:n])
		if err != nil {
			e.cfg.Log.Error("renewing leases failed", "err", err)
			return
		}
		e.mu.Lock()
		for _, id := range ids[:n] {
			if l := e.lanes[id]; l != nil && kept[id] {
				l.until.Store(until.UnixNano())
			} else if l != nil {
				l.until.Store(0)
			}
		}
		e.mu.Unlock()
		ids = ids[n:]
	}
}

// drain steps a lane until it is empty, lost or the process stops.
func (e *Engine) drain(ctx context.Context, l *lane) {
	defer func() {
		if ctx.Err() != nil { // renewed till then; a lane that was lost is not
			l.onWire.Wait()
		}
		e.mu.Lock()
		if e.lanes[l.ID] == l { // a lease that ran out may be this process's again by now
			delete(e.lanes, l.ID)
		}
		e.mu.Unlock()
		l.onWire.Wait()
	}()
	for ctx.Err() == nil {
		r, err := l.step(ctx)
		wait := r.wait
		switch {
		case errors.Is(err, models.ErrLost):
			e.cfg.Log.Info("a lane went to another worker", "tenant", l.TenantID)
			return
		case err != nil && ctx.Err() == nil:
			e.cfg.Log.Error("a lane's step failed", "tenant", l.TenantID, "err", err)
			wait = time.Second
		case r.empty && l.dueSoon():
			wait = l.getReady(ctx)
		case r.empty:
			if done, err := e.giveUp(ctx, l); done || err != nil {
				return
			}
		}
		e.pause(ctx, wait)
	}
}

// giveUp releases a lane that has nothing to do now. It stays when something was added or taken back meanwhile.
func (e *Engine) giveUp(ctx context.Context, l *lane) (bool, error) {
	if l.requeued.Load() || l.seenWakes != l.Additions {
		return false, nil
	}
	l.Lane.LeaseOwner = e.cfg.WorkerID
	return e.store.Lanes.Release(ctx, l.Lane, l.nextDue)
}

// outliving is a context that lasts for d after ctx has ended.
func outliving(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(d, cancel)
		context.AfterFunc(out, func() { t.Stop() })
	})
	return out, func() { ended(); cancel() }
}

func (e *Engine) pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(min(d, 5*time.Second))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (e *Engine) every(ctx context.Context, d time.Duration, round func(context.Context)) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			round(ctx)
		}
	}
}
