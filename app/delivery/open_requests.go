package delivery

import (
	"sync"
	"time"
)

const (
	// slowAfter is how old a lane's oldest request may be. After
	// that Dialpad hangs for this company: it must not take the
	// connections of others.
	slowAfter = 3 * time.Second
	// slowLimit is how many requests a company that hangs may have open.
	slowLimit = 4
	// minOpen is the least limit of a paced lane.
	minOpen = 8
	// openTime limits a paced lane's open requests to
	// what its rate sends in that time.
	openTime = 3 * time.Second
	// openPause is the delay before a lane without room looks again.
	openPause = 20 * time.Millisecond
)

// openRequests knows a lane's requests without an answer. Safe for concurrent use.
type openRequests struct {
	mu    sync.Mutex
	since map[string]time.Time // by message id
}

func (o *openRequests) add(id string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since == nil {
		o.since = map[string]time.Time{}
	}
	o.since[id] = now
}

func (o *openRequests) remove(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.since, id)
}

func (o *openRequests) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.since)
}

// oldest returns how many requests are open, and since when the first of them.
func (o *openRequests) oldest() (n int, since time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, at := range o.since {
		if since.IsZero() || at.Before(since) {
			since = at
		}
	}
	return len(o.since), since
}

// room returns how many of n texts a lane may send now.
// perMinute is its rate, 0 for none.
func (o *openRequests) room(now time.Time, n int, perMinute float64) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	limit := n + len(o.since)
	if perMinute > 0 {
		limit = max(minOpen, int(perMinute*openTime.Minutes()))
	}
	for _, since := range o.since {
		if now.Sub(since) > slowAfter {
			limit = slowLimit
			break
		}
	}
	return max(0, min(n, limit-len(o.since)))
}
