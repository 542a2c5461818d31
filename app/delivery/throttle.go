package delivery

import (
	"sync"
	"time"

	"dialpad-texting/models/ledger"
)

const (
	// maxFailures is how many requests in a row may bring no answer
	// before Dialpad seems down and one text at a time tries it.
	maxFailures = 3
	maxBackoff  = time.Minute
	// readBackoff is the delay after something a text needs could not be read.
	readBackoff = 5 * time.Second
)

// throttle decides when a lane may send, by its pace and by the
// requests in a row that brought no answer. Safe for concurrent use.
type throttle struct {
	mu       sync.Mutex
	pacer    pacer
	failures int
}

// configure takes the tenant's settings over. The first time it loads what the
// lane's row remembers. It reports whether some of the rate came back.
func (t *throttle) configure(now time.Time, first bool, row ledger.Lane, perMinute int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if first {
		t.pacer.load(row, perMinute)
	}
	t.pacer.allowed = float64(perMinute)
	return t.pacer.regain(now)
}

// allow returns how many texts may go now, up to n, or how long to wait. While
// Dialpad seems down it is one at a time: a whole bulk must not turn uncertain.
func (t *throttle) allow(now time.Time, n, openRequests int) (int, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, _, wait := t.pacer.due(now, n)
	if t.failures >= maxFailures && n > 0 {
		if openRequests > 0 {
			return 0, idleInterval
		}
		n = 1
	}
	return n, wait
}

// slots returns how many texts may go now, up to n,
// the slot of the first and the interval between them.
func (t *throttle) slots(now time.Time, n int) (int, time.Time, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, base, _ := t.pacer.due(now, n)
	return n, base, t.pacer.interval()
}

// rate returns the texts a minute in force, 0: without a limit.
func (t *throttle) rate() float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pacer.rate()
}

func (t *throttle) take(base time.Time, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pacer.take(base, n)
}

func (t *throttle) refund(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pacer.refund(n)
}

// nextSlot returns when the next text may go, now at the earliest.
func (t *throttle) nextSlot(now time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pacer.slot.Before(now) {
		return now
	}
	return t.pacer.slot
}

func (t *throttle) notBefore(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pacer.notBefore(at)
}

// answered notes that Dialpad gives answers.
func (t *throttle) answered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures, t.pacer.refused = 0, 0
}

// failed backs off after a request without an answer, longer with
// each in a row. retryAfter is what Dialpad asked for, 0 for nothing.
func (t *throttle) failed(now time.Time, retryAfter time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures++
	if t.failures < maxFailures && retryAfter == 0 {
		return
	}
	backoff := min(time.Second<<min(t.failures-1, 6), maxBackoff)
	t.pacer.notBefore(now.Add(max(backoff, retryAfter)))
}

// rateLimited notes that Dialpad refused a text for its rate, which was
// handed to its connection at dispatched.
func (t *throttle) rateLimited(now, dispatched time.Time, delay time.Duration, words string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pacer.limited(now, dispatched, delay, words)
	t.failures = 0 // a refusal is an answer
}

// isLimitedSince reports whether Dialpad refused a text for its rate since
// another one was dispatched, which then has to wait too.
func (t *throttle) isLimitedSince(dispatched time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pacer.isLimitedSince(dispatched)
}

func (t *throttle) store(row *ledger.Lane) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pacer.store(row)
}
