package sandbox

import (
	"net/http"
	"sync"
	"time"
)

// rollingWindow limits calls in a rolling span. It is exact: it keeps
// the time of each of the last calls.
type rollingWindow struct {
	span  time.Duration
	mu    sync.Mutex
	times []int64 // ring buffer, Unix nanoseconds
	next  int
}

// allow counts one call now, or returns how long to wait for the next
// free slot. limit 0 means no limit.
func (w *rollingWindow) allow(now time.Time, limit int) (wait time.Duration, ok bool) {
	if limit <= 0 {
		return 0, true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.times) != limit {
		w.resize(limit)
	}
	at := now.UnixNano()
	oldest := w.times[w.next]
	if wait := time.Duration(oldest + int64(w.span) - at); oldest != 0 && wait > 0 {
		return wait, false
	}
	w.times[w.next] = at
	w.next = (w.next + 1) % limit
	return 0, true
}

// resize keeps the newest times.
func (w *rollingWindow) resize(limit int) {
	old := append(append([]int64{}, w.times[w.next:]...), w.times[:w.next]...) // oldest first
	if len(old) > limit {
		old = old[len(old)-limit:]
	}
	w.times = append(make([]int64, limit-len(old)), old...)
	w.next = 0
}

// used returns how many calls the current span holds.
func (w *rollingWindow) used(now time.Time) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, at := range w.times {
		if at != 0 && now.UnixNano()-at < int64(w.span) {
			n++
		}
	}
	return n
}

// RateLimitStyle is how the sandbox refuses a call over a limit.
// Reports differ on what Dialpad does.
type RateLimitStyle struct {
	Forbidden  bool // 403 "rate limit exceeded" instead of 429
	RetryAfter bool // with a Retry-After header
}

// rateLimited is the refusal. The caller holds mu.
func (st *state) rateLimited(wait time.Duration) response {
	refusal := refuse(http.StatusTooManyRequests, "Rate limit exceeded")
	if st.rateLimitStyle.Forbidden {
		refusal = refuse(http.StatusForbidden, "rate limit exceeded")
	}
	if st.rateLimitStyle.RetryAfter {
		refusal = withRetryAfter(refusal, wait)
	}
	return refusal
}
