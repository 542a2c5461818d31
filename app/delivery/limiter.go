package delivery

import (
	"context"
	"sync"
	"time"
)

// limiter bounds the claimed texts that have no answer yet. There is
// one permit for each connection. A few more let the connections go
// on while the next claim is made: as many as they take on within
// aheadWindow at the pace of Dialpad's answers.
type limiter struct {
	connections int
	free        chan struct{} // has a token when somebody who waits may find a permit

	mu      sync.Mutex
	taken   int
	latency time.Duration // of an answer, smoothed
}

const (
	aheadWindow = 20 * time.Millisecond
	maxAhead    = 2 // times the connections
	// gatherTimeout is how long a claim waits for more permits.
	// Connections fall free one by one, and a claim of one text costs
	// as much as one of ten.
	gatherTimeout = 10 * time.Millisecond
)

func newLimiter(connections int) *limiter {
	return &limiter{connections: connections, free: make(chan struct{}, 1)}
}

// capacity returns the number of permits at the present latency. Before the
// first answer it is one for each connection: a text that no connection
// carries must not be claimed.
func (l *limiter) capacity() int {
	if l.latency == 0 {
		return l.connections
	}
	ahead := time.Duration(l.connections) * aheadWindow / max(l.latency, aheadWindow/200)
	return l.connections + min(int(ahead), maxAhead*l.connections)
}

// acquire takes 1 to n permits and waits for the first. It returns 0
// if ctx ends.
func (l *limiter) acquire(ctx context.Context, n int) int {
	got := l.tryAcquire(n)
	for got == 0 {
		select {
		case <-l.free:
			got = l.tryAcquire(n)
		case <-ctx.Done():
			return 0
		}
	}
	timeout := time.NewTimer(gatherTimeout)
	defer timeout.Stop()
	for got < n {
		select {
		case <-l.free:
			got += l.tryAcquire(n - got)
		case <-timeout.C:
			return got
		}
	}
	return got
}

// tryAcquire takes up to n permits without waiting.
func (l *limiter) tryAcquire(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := max(0, min(n, l.capacity()-l.taken))
	if l.taken += got; l.taken < l.capacity() {
		l.signal()
	}
	return got
}

// release gives n permits back.
func (l *limiter) release(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken -= n
	l.signal()
}

// observe notes how long the answer to a request took.
func (l *limiter) observe(latency time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latency += (latency - l.latency) / 16
}

func (l *limiter) signal() {
	select {
	case l.free <- struct{}{}:
	default:
	}
}
