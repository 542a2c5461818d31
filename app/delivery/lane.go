package delivery

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"dialpad-texting/app/market"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	claimMost = 128 // texts in one claim
	idleLook  = 100 * time.Millisecond
	busyLook  = 10 * time.Millisecond
	dueLook   = 250 * time.Millisecond
	fairShare = 10 // each tenth text may go to a lower class while higher ones keep coming
	settings  = 5 * time.Second
	// checkWithin is how long a process that stops still asks whether what it claimed may go. What it can't learn by then
	// goes back to the queue.
	checkWithin = 10 * time.Second
	// lookWithin is how long a lane's look waits for others.
	lookWithin = time.Millisecond
)

// lane is a leased lane in this process.
type lane struct {
	e *Engine
	ledger.Lane

	mu      sync.Mutex // guards what follows, up to the blank line: answers come on other goroutines
	pace    pace
	trouble int // requests in a row that brought no answer
	// Token versions: the one a 401 was answered with, and the last that Dialpad accepted.
	refreshedTo, workedToken int64
	suspectedAt              time.Time

	until      atomic.Int64 // unix nanoseconds: the lease as last renewed
	inFlight   atomic.Int64 // requests on the wire
	open       atomic.Int64 // claimed texts whose outcome is not written yet
	onWire     sync.WaitGroup
	requeued   atomic.Bool // something was taken back since the last look
	unwritten  atomic.Bool // the database refused an outcome
	unheard    bool        // a claim's answer was lost: the database may have made it
	streak     int         // texts of higher classes since a lower one had its share
	mixed      bool        // the last claim found more than bulks
	nextDue    *time.Time
	seenWakes  int64
	settingsAt time.Time
}

func (e *Engine) newLane(l ledger.Lane) *lane {
	out := &lane{e: e, Lane: l, seenWakes: -1}
	out.until.Store(e.cfg.Now().Add(e.cfg.Lease).UnixNano())
	return out
}

// held tells whether the lease still stands by this process's clock; the database has the last word at each claim.
func (l *lane) held(now time.Time) bool { return now.UnixNano() < l.until.Load() }

// step is one round of a lane: what is due goes to the queue, what may go now is claimed, checked and put onto the
// wire. It tells how many texts it claimed, whether the lane is empty, and how long to wait before the next step.
func (l *lane) step(ctx context.Context) (r round, err error) {
	now := l.e.cfg.Now()
	if !l.held(now) {
		return r, models.ErrLost
	}
	if l.unheard {
		return round{wait: idleLook}, l.takeBack(ctx)
	}
	if err := l.prepare(ctx, now); err != nil {
		return r, err
	}
	n, wait := l.mayGo(now)
	if n == 0 {
		return round{wait: wait}, nil
	}
	if n = l.e.permits.take(ctx, n); n == 0 {
		return r, ctx.Err()
	}
	// Asked before the claim: a text still open keeps its pair out of it, and may come back to the queue.
	calm := l.open.Load() == 0
	got, err := l.claim(ctx, n)
	claimed := len(got.Messages)
	l.e.permits.give(n - claimed)
	switch {
	case err != nil:
		return r, err
	case got.Busy:
		return round{wait: busyLook}, nil
	case claimed == 0:
		return round{empty: calm, wait: idleLook}, nil
	}
	l.open.Add(int64(claimed))
	// What is claimed is settled, also when the process stops just now.
	checking, cancel := outliving(ctx, checkWithin)
	defer cancel()
	l.dispatch(checking, got.Messages)
	return round{claimed: claimed}, nil
}

// round is what one step did.
type round struct {
	claimed int
	empty   bool // nothing to claim, nothing open
	wait    time.Duration
}

// prepare reads the tenant's settings now and then, and queues what has become due.
func (l *lane) prepare(ctx context.Context, now time.Time) error {
	if l.requeued.Swap(false) {
		l.seenWakes = -1
	}
	known := l.seenWakes == l.Additions && (l.nextDue == nil || l.nextDue.After(now))
	if known && now.Sub(l.settingsAt) <= settings {
		return nil
	}
	look, err := l.e.looks.one(l.Lane)
	if err != nil {
		return err
	}
	l.set(ctx, now, look.Tenant)
	l.seenWakes, l.nextDue = l.Additions, look.NextDue
	if look.NextDue == nil || look.NextDue.After(now) {
		return nil
	}
	if look.MoreDue {
		l.seenWakes = -1
		return nil
	}
	n, next, err := l.e.store.Lanes.QueueDue(ctx, l.Lane, claimMost*8)
	l.nextDue = next
	if n > 0 {
		l.seenWakes = -1 // there may be more
	}
	return err
}

// set takes the tenant's settings over.
func (l *lane) set(ctx context.Context, now time.Time, t models.Tenant) {
	l.mu.Lock()
	if l.settingsAt.IsZero() {
		l.pace.load(l.Lane, t)
	}
	l.pace.allowed = float64(t.Allowed())
	recovered := l.pace.recover(now)
	l.mu.Unlock()
	l.settingsAt = now
	if recovered {
		l.savePace(ctx)
	}
}

// dueSoon tells of an empty lane whose next text is due so soon that it isn't worth giving the lane up.
func (l *lane) dueSoon() bool {
	return l.nextDue != nil && l.nextDue.Sub(l.e.cfg.Now()) < acquireAhead
}

// getReady reads the token, so that it is at hand when the text is due, and returns how long until the lane looks again: till
// then, but another text may come before.
func (l *lane) getReady(ctx context.Context) time.Duration {
	if _, err := l.e.market.Token(ctx, l.TenantID); err != nil && ctx.Err() == nil {
		l.e.cfg.Log.Debug("no token yet for a text that is due soon", "tenant", l.TenantID, "err", err)
	}
	return min(max(l.nextDue.Sub(l.e.cfg.Now()), time.Millisecond), dueLook)
}

// mayGo is how many texts may go at this moment, and else how long until the next slot.
func (l *lane) mayGo(now time.Time) (int, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, _, wait := l.pace.due(now, claimMost)
	if l.trouble >= 3 && n > 0 {
		// Dialpad seems down: one text at a time tries it, instead of turning a whole bulk uncertain.
		if l.inFlight.Load() > 0 {
			return 0, idleLook
		}
		n = 1
	}
	return n, wait
}

// dispatch checks the claimed texts and puts those that may go onto the wire, each with its permit. The others are settled at once and give their permit and slot back.
func (l *lane) dispatch(ctx context.Context, claimed []ledger.ClaimedMessage) {
	fits := l.check(ctx, claimed)
	if len(fits) < len(claimed) {
		l.e.permits.give(len(claimed) - len(fits))
		l.mu.Lock()
		l.pace.gaveBack(len(claimed) - len(fits))
		l.mu.Unlock()
	}
	if len(fits) == 0 {
		return
	}
	token, err := l.e.market.Token(ctx, l.TenantID)
	if err != nil {
		l.withoutToken(ctx, fits, err)
		l.e.permits.give(len(fits))
		return
	}
	l.inFlight.Add(int64(len(fits)))
	l.onWire.Add(len(fits))
	now := l.e.cfg.Now()
	for _, c := range fits {
		l.e.wire <- posting{l, token, now, c}
	}
}

// posting is a text that goes onto the wire.
type posting struct {
	l     *lane
	token market.Token
	since time.Time
	ledger.ClaimedMessage
}

// stale is how long a claimed text may wait for a connection: what was checked before it is old by then. It waits that
// long only when Dialpad has just stopped answering.
const stale = time.Second

// connection posts texts one after another until there are no more. It is not a goroutine for each text, since each would
// grow its stack anew.
func (e *Engine) connection() {
	for p := range e.wire {
		began := e.cfg.Now()
		if began.Sub(p.since) > stale {
			p.l.laterUnreachable(p.Claimed)
		} else {
			p.l.send(p.token, p.Claimed)
		}
		p.l.inFlight.Add(-1)
		e.permits.answered(e.cfg.Now().Sub(began))
		p.l.onWire.Done()
	}
}

// withoutToken takes texts back when there is no token: for good reasons held, in an outage later.
func (l *lane) withoutToken(ctx context.Context, fits []ledger.ClaimedMessage, err error) {
	var refusal *market.Refusal
	if errors.As(err, &refusal) && refusal.Code == "not_connected" {
		for _, c := range fits {
			l.refuse(ctx, c, refusal)
		}
		return
	}
	l.e.cfg.Log.Warn("no token for a lane", "tenant", l.TenantID, "err", err)
	l.mu.Lock()
	l.pace.notBefore(l.e.cfg.Now().Add(5 * time.Second))
	l.mu.Unlock()
	for _, c := range fits {
		l.laterUnreachable(c)
	}
}

func (l *lane) savePace(ctx context.Context) {
	l.mu.Lock()
	row := l.Lane
	l.pace.store(&row)
	l.mu.Unlock()
	if err := l.e.store.Lanes.SavePace(ctx, row); err != nil {
		l.e.cfg.Log.Error("saving a lane's pace failed", "tenant", l.TenantID, "err", err)
	}
}
