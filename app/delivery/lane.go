package delivery

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"dialpad-texting/internal/ctxtime"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	maxClaim     = 128 // texts in one claim
	idleInterval = 100 * time.Millisecond
	busyInterval = 10 * time.Millisecond
	maxPause     = 5 * time.Second
	// maxUnread is how many texts are claimed while senders can't be read, and
	// unreadPause the delay after a claim of such texts alone.
	maxUnread   = 4
	unreadPause = 250 * time.Millisecond
	// recheckTimeout is how long a process that stops still rechecks what it
	// claimed. What it can't find out by then goes back to the queue.
	recheckTimeout = 10 * time.Second
)

// lane is a leased lane in this process. One
// goroutine drains it; answers arrive on others.
type lane struct {
	ledger.Lane
	e *Engine

	throttle     throttle
	openRequests openRequests
	senders      *senderReads
	token        tokenState

	leaseUntil atomic.Int64 // as last renewed, in unix nanoseconds
	open       atomic.Int64 // claimed texts whose outcome is not written yet
	onWire     sync.WaitGroup
	requeued   atomic.Bool  // a text went back to the queue since the last poll
	unwritten  atomic.Bool  // the database refused an outcome
	checkedAt  atomic.Int64 // when a connection check was last enqueued, in unix nanoseconds

	// For the draining goroutine alone:
	share           classShare
	claimLost       bool       // a claim's answer was lost: the database may have made it
	polledAdditions int64      // Lane.Additions at the last poll; -1 asks for another
	nextDue         *time.Time // of the first waiting text
	nextQuiet       *time.Time // when quiet hours of queued texts begin
	settingsAt      time.Time  // when the tenant's settings were read
	sendersAt       time.Time  // when the queue's next senders were looked at
	unread          bool       // the last claim had texts whose sender could not be read
}

func (e *Engine) newLane(l ledger.Lane) *lane {
	out := &lane{e: e, Lane: l, polledAdditions: -1, senders: newSenderReads()}
	out.leaseUntil.Store(e.cfg.Now().Add(e.cfg.Lease).UnixNano())
	return out
}

// drain steps a lane until it is empty or lost, or the process stops.
func (e *Engine) drain(ctx context.Context, l *lane) {
	defer func() {
		if ctx.Err() != nil { // its lease is renewed meanwhile; a lost one is not
			l.onWire.Wait()
		}
		e.forget(l)
		l.onWire.Wait()
	}()
	for ctx.Err() == nil {
		s, err := l.step(ctx)
		wait := s.wait
		switch {
		case errors.Is(err, models.ErrLost):
			e.cfg.Log.Info("lane lost to another worker", "tenant", l.TenantID)
			return
		case err != nil && ctx.Err() == nil:
			e.cfg.Log.Error("lane step failed", "tenant", l.TenantID, "err", err)
			wait = time.Second
		case s.empty && l.isDueSoon():
			wait = l.warmUp(ctx)
		case s.empty:
			if done, err := e.release(ctx, l); done || err != nil {
				return
			}
		}
		_ = ctxtime.Sleep(ctx, min(wait, maxPause))
	}
}

// stepResult says how a lane goes on after a step.
type stepResult struct {
	empty bool          // nothing to claim, nothing open
	wait  time.Duration // until the next step
}

// step is one round of a lane. It queues what is due and sends what may go now.
func (l *lane) step(ctx context.Context) (r stepResult, err error) {
	now := l.e.cfg.Now()
	if !l.hasLease(now) {
		return r, models.ErrLost
	}
	if l.claimLost {
		return stepResult{wait: idleInterval}, l.undoLostClaim(ctx)
	}
	if err := l.poll(ctx, now); err != nil {
		return r, err
	}
	n, wait := l.throttle.allow(now, maxClaim, l.openRequests.count())
	if n == 0 {
		return stepResult{wait: wait}, nil
	}
	if n = l.openRequests.room(now, n, l.throttle.rate()); n == 0 {
		return stepResult{wait: openPause}, nil
	}
	if !hasToken(ctx, l) {
		return stepResult{wait: idleInterval}, ctx.Err()
	}
	if l.unread {
		n = min(n, maxUnread)
	}
	if n = l.e.limiter.acquire(ctx, n); n == 0 {
		return r, ctx.Err()
	}
	return l.claimAndSend(ctx, n)
}

// claimAndSend uses n permits: it claims up to n texts,
// rechecks them and hands them to the connections.
func (l *lane) claimAndSend(ctx context.Context, n int) (r stepResult, err error) {
	// Read before the claim: an open text keeps the others of
	// its pair out of the claim, and may come back to the queue.
	nothingOpen := l.open.Load() == 0
	got, err := l.claim(ctx, n)
	claimed := len(got.Messages)
	l.e.limiter.release(n - claimed)
	switch {
	case err != nil:
		return r, err
	case got.Busy:
		return stepResult{wait: busyInterval}, nil
	case claimed == 0:
		return stepResult{empty: nothingOpen, wait: idleInterval}, nil
	}
	l.open.Add(int64(claimed))
	// What is claimed is settled, even if the process stops just now.
	rechecking, cancel := ctxtime.WithGrace(ctx, recheckTimeout)
	defer cancel()
	if passed := l.dispatch(rechecking, got.Messages); passed == 0 && l.unread {
		r.wait = unreadPause
	}
	return r, nil
}
