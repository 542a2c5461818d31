package sandbox

import (
	"net/http"
	"sync"
	"time"
)

// window counts events in a rolling span, exactly: it remembers when each of the last ones was.
type window struct {
	span   time.Duration
	mu     sync.Mutex
	stamps []int64 // ring, unix nanoseconds
	next   int
}

// take allows one event now, or says how long until one would be. limit 0 = no limit.
func (w *window) take(now time.Time, limit int) (time.Duration, bool) {
	if limit <= 0 {
		return 0, true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.stamps) != limit {
		w.resize(limit)
	}
	at := now.UnixNano()
	oldest := w.stamps[w.next]
	if wait := time.Duration(oldest + int64(w.span) - at); oldest != 0 && wait > 0 {
		return wait, false
	}
	w.stamps[w.next] = at
	w.next = (w.next + 1) % limit
	return 0, true
}

// resize keeps the newest stamps.
func (w *window) resize(limit int) {
	old := append(append([]int64{}, w.stamps[w.next:]...), w.stamps[:w.next]...) // oldest first
	if len(old) > limit {
		old = old[len(old)-limit:]
	}
	w.stamps = append(make([]int64, limit-len(old)), old...)
	w.next = 0
}

// used is how many of the last span are remembered.
func (w *window) used(now time.Time) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, at := range w.stamps {
		if at != 0 && now.UnixNano()-at < int64(w.span) {
			n++
		}
	}
	return n
}

// RateStyle is how the sandbox says "too fast". Witnesses differ on how Dialpad does.
type RateStyle struct {
	Forbidden  bool // 403 "rate limit exceeded" instead of 429
	RetryAfter bool // with a Retry-After header
}

// SetRateStyle changes it.
func (s *Sandbox) SetRateStyle(style RateStyle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rateStyle = style
}

// rateLimited is the refusal. The caller holds the lock.
func (s *Sandbox) rateLimited(wait time.Duration) answer {
	a := refuse(http.StatusTooManyRequests, "Rate limit exceeded")
	if s.rateStyle.Forbidden {
		a = refuse(http.StatusForbidden, "rate limit exceeded")
	}
	if s.rateStyle.RetryAfter {
		a = withRetryAfter(a, wait)
	}
	return a
}
