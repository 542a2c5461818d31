package delivery

import (
	"context"
	"sync"
	"time"
)

// permits bound the claimed texts that have no answer yet: one for each connection, and as many more as the connections
// take on within aheadWithin at the pace of Dialpad's answers, so that none falls idle while the next claim is made.
// Should the process die just then, those few outcomes are unknown although nothing was sent.
type permits struct {
	connections int
	free        chan struct{} // holds a token when there may be one for somebody who waits

	mu     sync.Mutex
	taken  int
	answer time.Duration // how long an answer takes, smoothed
}

const (
	aheadWithin = 20 * time.Millisecond
	aheadMost   = 2 // times the connections
	// gather is how long a claim waits for company when connections fall free one by one: a claim of one text costs as
	// much as a claim of ten.
	gather = 10 * time.Millisecond
)

func newPermits(connections int) *permits {
	return &permits{connections: connections, free: make(chan struct{}, 1)}
}

// most is how many there are at all, from a tenth of a millisecond's answers on.
func (p *permits) most() int {
	ahead := time.Duration(p.connections) * aheadWithin / max(p.answer, aheadWithin/200)
	return p.connections + min(int(ahead), aheadMost*p.connections)
}

// take takes up to n, at least one, waiting for the first; none when ctx ends.
func (p *permits) take(ctx context.Context, n int) int {
	got := p.takeNow(n)
	for got == 0 {
		select {
		case <-p.free:
			got = p.takeNow(n)
		case <-ctx.Done():
			return 0
		}
	}
	soon := time.NewTimer(gather)
	defer soon.Stop()
	for got < n {
		select {
		case <-p.free:
			got += p.takeNow(n - got)
		case <-soon.C:
			return got
		}
	}
	return got
}

func (p *permits) takeNow(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := max(0, min(n, p.most()-p.taken))
	if p.taken += got; p.taken < p.most() {
		p.tell()
	}
	return got
}

// give gives n back.
func (p *permits) give(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken -= n
	p.tell()
}

// answered gives one back whose answer took so long.
func (p *permits) answered(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer += (took - p.answer) / 16
	p.taken--
	p.tell()
}

func (p *permits) tell() {
	select {
	case p.free <- struct{}{}:
	default:
	}
}
