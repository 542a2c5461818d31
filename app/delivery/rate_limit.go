package delivery

import (
	"context"
	"math"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models/ledger"
)

const (
	// forbiddenDelay is the least delay after a 403 that
	// speaks of rate: one full window of Dialpad's limit.
	forbiddenDelay = 60 * time.Second
	// minDelay is the delay after a first 429 without Retry-After, and
	// after a second one in a row. It doubles with each one more: the limit
	// may be that of one second (20 requests of any kind) or of a minute.
	minDelay = 2 * time.Second
	// slowDown is what a 429 leaves of the rate.
	slowDown = 0.7
	// recovery is how much of the rate comes back after each minute without
	// a 429, and minRecovery the least, as a part of the allowed rate.
	recovery    = 0.1
	minRecovery = 0.01
	// highestRate is the highest limit that Dialpad
	// documents, in texts a minute (POST /sms, tier 1).
	highestRate = 800
)

// limited slows down after a 429: no text before delay has passed (0: Dialpad
// named none), and fewer a minute from then on.
//
// dispatched is when the refused text was handed to its connection. Texts that
// were dispatched before the last refusal belong to it: a burst counts once. Refusals in a row, with
// no text accepted between, say that the delay was too short, not that the
// rate is too high: then only the delay grows.
func (p *pacer) limited(now, dispatched time.Time, delay time.Duration, words string) {
	isSame := p.limitedAt != nil && !dispatched.After(*p.limitedAt)
	if !isSame {
		p.refused++
		if p.refused == 1 {
			p.slow()
		}
	}
	if delay == 0 || p.refused > 1 {
		delay = max(delay, min(minDelay<<min(p.refused-1, 5), forbiddenDelay))
	}
	p.limitedAt, p.limitedWords, p.learnedAt = &now, words, now
	p.notBefore(now.Add(delay))
}

func (p *pacer) slow() {
	r := p.rate()
	if r == 0 {
		r = highestRate
	}
	p.learned = math.Max(1, r*slowDown)
}

// isLimitedSince reports whether Dialpad refused a text for its rate after
// the given time.
func (p *pacer) isLimitedSince(t time.Time) bool { return p.limitedAt != nil && p.limitedAt.After(t) }

// regain gives some of the rate back after each minute
// without a 429, and reports whether it changed.
func (p *pacer) regain(now time.Time) bool {
	if p.learned == 0 || now.Sub(p.learnedAt) < time.Minute {
		return false
	}
	p.learnedAt = now
	full := p.allowed
	if full == 0 {
		full = highestRate
	}
	if p.learned += max(p.learned*recovery, full*minRecovery); p.learned >= full {
		p.learned = 0
	}
	return true
}

// rateLimited slows the lane down by a 429, its
// Retry-After, or a 403 that speaks of rate.
func (l *lane) rateLimited(ctx context.Context, dispatched time.Time, e *dialpad.Error) {
	delay := e.RetryAfter
	if e.Status == 403 {
		delay = max(delay, forbiddenDelay)
	}
	l.throttle.rateLimited(l.e.cfg.Now(), dispatched, delay, e.Message)
	l.savePace(ctx)
}

// savePace stores the pace in the lane's row, so that it survives a restart.
func (l *lane) savePace(ctx context.Context) {
	row := ledger.Lane{ID: l.ID, TenantID: l.TenantID, Fence: l.Fence}
	l.throttle.store(&row)
	if err := l.e.store.Lanes.SavePace(ctx, row); err != nil {
		l.e.cfg.Log.Error("save pace failed", "tenant", l.TenantID, "err", err)
	}
}
