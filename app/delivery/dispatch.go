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

// dispatch rechecks the claimed texts, hands those that may go to the
// connections, each with its permit, and returns how many they are. The others
// give permit and slot back.
func (l *lane) dispatch(ctx context.Context, claimed []ledger.ClaimedMessage) int {
	passed := l.recheck(ctx, claimed)
	if n := len(claimed) - len(passed); n > 0 {
		l.e.limiter.release(n)
		l.throttle.refund(n)
	}
	if len(passed) == 0 {
		return 0
	}
	token, err := l.e.tokens.Token(ctx, l.TenantID)
	if err != nil {
		l.settleWithoutToken(ctx, passed, err)
		l.e.limiter.release(len(passed))
		return 0
	}
	l.onWire.Add(len(passed))
	now := l.e.cfg.Now()
	for _, c := range passed {
		l.openRequests.add(c.ID, now)
		l.e.requests <- request{c, l, token, now}
	}
	return len(passed)
}
