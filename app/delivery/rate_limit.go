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
	// minDelay is the delay after a first 429 without Retry-After.
	// It doubles with each 429 in a row: the limit may be that of
	// one second (20 requests of any kind) or that of a minute.
	minDelay = 2 * time.Second
	// slowDown is what a 429 leaves of the rate.
	slowDown = 0.7
	// recovery is how much of the allowed rate comes back each minute.
	recovery = 0.1
	// highestRate is the highest limit that Dialpad
	// documents, in texts a minute (POST /sms, tier 1).
	highestRate = 800
	// sameRefusal is how far apart 429s count as one:
	// many texts of one moment get many of them.
	sameRefusal = 5 * time.Second
)

// limited slows down after a 429: no text before delay has passed
// (0: Dialpad named none), and fewer a minute from then on.
func (p *pacer) limited(now time.Time, delay time.Duration, words string) {
	if p.refused++; delay == 0 {
		delay = min(minDelay<<min(p.refused-1, 5), forbiddenDelay)
	}
	p.limitedAt, p.limitedWords = &now, words
	r := p.rate()
	if r == 0 {
		r = highestRate
	}
	if now.Sub(p.learnedAt) > sameRefusal {
		p.learned = math.Max(1, r*slowDown)
	}
	p.learnedAt = now
	p.notBefore(now.Add(delay))
}

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
	if p.learned += full * recovery; p.learned >= full {
		p.learned = 0
	}
	return true
}

// rateLimited slows the lane down by a 429, its
// Retry-After, or a 403 that speaks of rate.
func (l *lane) rateLimited(ctx context.Context, e *dialpad.Error) {
	delay := e.RetryAfter
	if e.Status == 403 {
		delay = max(delay, forbiddenDelay)
	}
	l.throttle.rateLimited(l.e.cfg.Now(), delay, e.Message)
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
