package delivery

import (
	"context"
	"time"

	"dialpad-texting/app/connection"
	"dialpad-texting/models/ledger"
)

// request is a text on its way to a connection.
type request struct {
	ledger.ClaimedMessage
	lane       *lane
	token      connection.Token
	dispatched time.Time
}

// maxQueueTime is how long a request may wait for a
// connection. After that its recheck is old. It waits
// that long only if Dialpad has just stopped answering.
const maxQueueTime = time.Second

// dispatch rechecks the claimed texts and hands those that may go to the
// connections, each with its permit. The others give permit and slot back.
func (l *lane) dispatch(ctx context.Context, claimed []ledger.ClaimedMessage) {
	passed := l.recheck(ctx, claimed)
	if n := len(claimed) - len(passed); n > 0 {
		l.e.limiter.release(n)
		l.throttle.refund(n)
	}
	if len(passed) == 0 {
		return
	}
	token, err := l.e.tokens.Token(ctx, l.TenantID)
	if err != nil {
		l.settleWithoutToken(ctx, passed, err)
		l.e.limiter.release(len(passed))
		return
	}
	l.onWire.Add(len(passed))
	now := l.e.cfg.Now()
	for _, c := range passed {
		l.openRequests.add(c.ID, now)
		l.e.requests <- request{c, l, token, now}
	}
}

// serveConnection sends requests one after another until there are no
// more. A goroutine for each text would grow a new stack each time.
func (e *Engine) serveConnection() {
	for r := range e.requests {
		began := e.cfg.Now()
		switch {
		case began.Sub(r.dispatched) > maxQueueTime:
			r.lane.requeueUnreachable(r.ClaimedMessage)
			e.limiter.releaseAfter(e.cfg.Now().Sub(began))
		case e.mayText(r.lane, r.ClaimedMessage):
			r.lane.send(r.token, r.ClaimedMessage)
			e.limiter.releaseAfter(e.cfg.Now().Sub(began))
		default:
			e.limiter.release(1)
			r.lane.throttle.refund(1)
		}
		r.lane.openRequests.remove(r.ID)
		r.lane.onWire.Done()
	}
}
