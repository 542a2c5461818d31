package delivery

import (
	"math"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// slack widens the slots by half a percent, so that a request that was late on its way and one that was not can
	// never put limit + 1 requests into one of Dialpad's 60 s windows.
	slack = 1.005
	// debt is how late a slot may be used without losing it: a worker that wakes a little late keeps the rate, one
	// that was away for longer does not catch up in a burst.
	debt = 200 * time.Millisecond
	// forbiddenWait is the least pause after a 403 that speaks of rate, one full window.
	forbiddenWait = 60 * time.Second
	// limitedWait is the pause after a first refusal that names no time, doubled with each one that follows without a
	// success: it may have been the limit of one second (20 requests, over everything) or that of a minute.
	limitedWait = 2 * time.Second
	// recovery is how much of the allowed rate comes back each minute without a refusal.
	recovery = 0.1
)

// pace is when a lane may send: evenly spaced slots of the allowed rate, or of what Dialpad was seen to take.
type pace struct {
	allowed float64 // texts a minute; 0 is unlimited
	learned float64 // 0: Dialpad never refused for rate
	slot    time.Time
	learnAt time.Time

	limitedAt    *time.Time // when Dialpad last said it was too much, and its words
	limitedWords string
	refused      int // in a row
}

// rate is the texts a minute in force, 0 for unlimited.
func (p *pace) rate() float64 {
	switch {
	case p.learned == 0:
		return p.allowed
	case p.allowed == 0:
		return p.learned
	}
	return math.Min(p.allowed, p.learned)
}

func (p *pace) interval() time.Duration {
	r := p.rate()
	if r == 0 {
		return 0
	}
	return time.Duration(slack * float64(time.Minute) / r)
}

// due tells how many texts may go now, at most want, and from which slot they count. When none may, wait says how
// long until the next slot.
func (p *pace) due(now time.Time, want int) (n int, base time.Time, wait time.Duration) {
	if p.slot.After(now) {
		return 0, p.slot, p.slot.Sub(now)
	}
	iv := p.interval()
	if iv == 0 {
		return want, now, 0
	}
	base = p.slot
	if earliest := now.Add(-debt); base.Before(earliest) {
		base = earliest
	}
	n = 1 + int(now.Sub(base)/iv)
	return min(n, want), base, 0
}

// took moves the slot on by n texts from base.
func (p *pace) took(base time.Time, n int) { p.slot = base.Add(time.Duration(n) * p.interval()) }

// gaveBack returns the slots of n texts that turned out not to go onto the wire.
func (p *pace) gaveBack(n int) { p.slot = p.slot.Add(-time.Duration(n) * p.interval()) }

// limited slows down after Dialpad said it was too much: nothing before the time it asked for (0: it named none), and
// less from then on.
func (p *pace) limited(now time.Time, wait time.Duration, words string) {
	if p.refused++; wait == 0 {
		wait = min(limitedWait<<min(p.refused-1, 5), forbiddenWait)
	}
	p.limitedAt, p.limitedWords = &now, words
	r := p.rate()
	if r == 0 {
		r = 800 // the highest limit Dialpad documents (POST /sms, tier 1)
	}
	// Many answers to one moment's texts are one refusal.
	if now.Sub(p.learnAt) > 5*time.Second {
		p.learned = math.Max(1, r*0.7)
	}
	p.learnAt = now
	p.notBefore(now.Add(wait))
}

func (p *pace) notBefore(t time.Time) {
	if t.After(p.slot) {
		p.slot = t
	}
}

// recover gives some of the rate back after each minute without a refusal, and tells whether it changed.
func (p *pace) recover(now time.Time) bool {
	if p.learned == 0 || now.Sub(p.learnAt) < time.Minute {
		return false
	}
	p.learnAt = now
	full := p.allowed
	if full == 0 {
		full = 800
	}
	if p.learned += full * recovery; p.learned >= full {
		p.learned = 0
	}
	return true
}

// load takes over what the lane's row remembers.
func (p *pace) load(l ledger.Lane, t models.Tenant) {
	p.allowed, p.learned = float64(t.Allowed()), l.LearnedRate
	p.limitedAt, p.limitedWords = l.LimitedAt, l.LimitedWords
	if l.SlotAt != nil {
		p.slot = *l.SlotAt
	}
	if l.LearnedAt != nil {
		p.learnAt = *l.LearnedAt
	}
}

func (p *pace) store(l *ledger.Lane) {
	slot, learned := p.slot, p.learnAt
	l.SlotAt, l.LearnedRate, l.LearnedAt = &slot, p.learned, &learned
	l.LimitedAt, l.LimitedWords = p.limitedAt, p.limitedWords
}
