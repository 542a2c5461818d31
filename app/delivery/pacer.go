package delivery

import (
	"math"
	"time"

	"dialpad-texting/models/ledger"
)

const (
	// slack widens the slots by half a percent. Otherwise a
	// request that was late on its way and one that was not could
	// put limit + 1 requests into one of Dialpad's 60 s windows.
	slack = 1.005
	// maxLate is how late a slot may be used. A worker that wakes a little late
	// keeps the rate; one that was away for longer does not burst to catch up.
	maxLate = 200 * time.Millisecond
)

// pacer spaces a lane's texts evenly, at the allowed rate or at
// what Dialpad was seen to take. Not safe for concurrent use.
type pacer struct {
	allowed float64   // texts a minute; 0 is unlimited
	slot    time.Time // when the next text may go

	// What 429s taught (rate_limit.go):
	learned      float64    // texts a minute; 0: Dialpad never refused for rate
	learnedAt    time.Time  // when learned last changed
	limitedAt    *time.Time // of the last 429, and Dialpad's words
	limitedWords string
	refused      int // 429s in a row
}

// rate returns the texts a minute in force, 0 for unlimited.
func (p *pacer) rate() float64 {
	switch {
	case p.learned == 0:
		return p.allowed
	case p.allowed == 0:
		return p.learned
	}
	return math.Min(p.allowed, p.learned)
}

// interval returns the time between two slots, 0 for unlimited.
func (p *pacer) interval() time.Duration {
	r := p.rate()
	if r == 0 {
		return 0
	}
	return time.Duration(slack * float64(time.Minute) / r)
}

// due returns how many texts may go now, at most want, and the slot
// of the first. If none may, wait is how long until the next slot.
func (p *pacer) due(now time.Time, want int) (n int, base time.Time, wait time.Duration) {
	if p.slot.After(now) {
		return 0, p.slot, p.slot.Sub(now)
	}
	interval := p.interval()
	if interval == 0 {
		return want, now, 0
	}
	base = p.slot
	if earliest := now.Add(-maxLate); base.Before(earliest) {
		base = earliest
	}
	n = 1 + int(now.Sub(base)/interval)
	return min(n, want), base, 0
}

// take uses the slots of n texts from base on.
func (p *pacer) take(base time.Time, n int) { p.slot = base.Add(time.Duration(n) * p.interval()) }

// refund returns the slots of n texts that did not go onto the wire.
func (p *pacer) refund(n int) { p.slot = p.slot.Add(-time.Duration(n) * p.interval()) }

// notBefore moves the next slot to t or later.
func (p *pacer) notBefore(t time.Time) {
	if t.After(p.slot) {
		p.slot = t
	}
}

// load reads what the lane's row remembers, so that a restart ends in no burst.
func (p *pacer) load(l ledger.Lane, perMinute int) {
	p.allowed, p.learned = float64(perMinute), l.LearnedRate
	p.limitedAt, p.limitedWords = l.LimitedAt, l.LimitedWords
	if l.SlotAt != nil {
		p.slot = *l.SlotAt
	}
	if l.LearnedAt != nil {
		p.learnedAt = *l.LearnedAt
	}
}

// store writes what load reads.
func (p *pacer) store(l *ledger.Lane) {
	slot, learned := p.slot, p.learnedAt
	l.SlotAt, l.LearnedRate, l.LearnedAt = &slot, p.learned, &learned
	l.LimitedAt, l.LimitedWords = p.limitedAt, p.limitedWords
}
