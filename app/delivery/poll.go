package delivery

import (
	"context"
	"time"
)

const (
	pollWait         = time.Millisecond // a poll waits this long for other lanes'
	settingsInterval = 5 * time.Second
	maxPromote       = 8 * maxClaim // waiting texts queued by one query
	// warmUpInterval is how often a lane that waits for a
	// due text polls: another text may be queued before.
	warmUpInterval = 250 * time.Millisecond
)

// nothingAdded reports whether nothing was added since the last poll.
func (l *lane) nothingAdded() bool { return l.polledAdditions == l.Additions }

// poll queues the waiting texts that are due, and now and then reads the
// tenant's settings. It does nothing while neither can have changed.
func (l *lane) poll(ctx context.Context, now time.Time) error {
	if l.requeued.Swap(false) {
		l.polledAdditions = -1
	}
	upToDate := l.nothingAdded() && !isDue(l.nextDue, now) && !isDue(l.nextQuiet, now)
	if upToDate && now.Sub(l.settingsAt) <= settingsInterval {
		return nil
	}
	found, err := l.e.polls.Ask(l.Lane)
	if err != nil {
		return err
	}
	l.applySettings(ctx, now, found.RatePerMinute)
	if !l.nothingAdded() || now.Sub(l.sendersAt) > sendersInterval {
		if err := (senderReader{l}).readNextSenders(ctx, now); err != nil {
			return err
		}
	}
	l.polledAdditions, l.nextDue, l.nextQuiet = l.Additions, found.NextDue, found.NextQuiet
	if isDue(l.nextQuiet, now) {
		l.polledAdditions = -1
		return l.rescheduleQuiet(ctx, now)
	}
	if !isDue(found.NextDue, now) {
		return nil
	}
	if found.MoreDue {
		l.polledAdditions = -1
		return nil
	}
	n, next, err := l.e.store.Lanes.QueueDue(ctx, l.Lane, maxPromote)
	l.nextDue = next
	if n > 0 {
		l.polledAdditions = -1 // there may be more
	}
	return err
}

func isDue(at *time.Time, now time.Time) bool { return at != nil && !at.After(now) }

func (l *lane) applySettings(ctx context.Context, now time.Time, perMinute int) {
	changed := l.throttle.configure(now, l.settingsAt.IsZero(), l.Lane, perMinute)
	l.settingsAt = now
	if changed {
		l.savePace(ctx)
	}
}

// isDueSoon reports whether the next text is due so
// soon that releasing the empty lane is not worth it.
func (l *lane) isDueSoon() bool {
	return l.nextDue != nil && l.nextDue.Sub(l.e.cfg.Now()) < acquireAhead
}

// warmUp reads the token before the next text is due,
// and returns how long to wait until the next poll.
func (l *lane) warmUp(ctx context.Context) time.Duration {
	if _, err := l.e.tokens.Token(ctx, l.TenantID); err != nil && ctx.Err() == nil {
		l.e.cfg.Log.Debug("read token ahead of a due text failed", "tenant", l.TenantID, "err", err)
	}
	return min(max(l.nextDue.Sub(l.e.cfg.Now()), time.Millisecond), warmUpInterval)
}
