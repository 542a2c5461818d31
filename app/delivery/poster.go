package delivery

import (
	"context"
	"sync"
	"time"

	"dialpad-texting/internal/ctxtime"
	"dialpad-texting/models/ledger"
)

const (
	// hungAfter is how long a request may keep its permit without an answer.
	// After that its connection only waits, which costs next to nothing, and
	// another connection serves in its place: companies whose requests hang
	// must not take the connections of others, however many they are.
	hungAfter = time.Second
	// hungInterval is how often requests that hang are looked for.
	hungInterval = 100 * time.Millisecond
	// maxHung is how many hung requests a process may have for each
	// connection. More are too many sockets.
	maxHung = 4
)

// posters are the connections to Dialpad: each posts texts one after another.
// A goroutine for each text would grow a new stack each time.
type posters struct {
	e       *Engine
	running sync.WaitGroup

	mu   sync.Mutex
	all  map[*poster]bool
	hung int
}

// poster is one connection. Its fields belong to posters.mu.
type poster struct {
	since time.Time // when its request began; zero without one
	hung  bool      // its permit was given back
}

func newPosters(e *Engine) *posters { return &posters{e: e, all: map[*poster]bool{}} }

// start starts n posters.
func (s *posters) start(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.add()
	}
}

func (s *posters) add() {
	p := &poster{}
	s.all[p] = true
	s.running.Go(func() { s.run(p) })
}

// run posts requests until there are no more, or another poster has taken
// this one's place.
func (s *posters) run(p *poster) {
	for r := range s.e.requests {
		s.begin(p)
		latency, posted := s.e.post(r)
		hung := s.end(p)
		if posted {
			s.e.limiter.observe(latency)
		}
		if !hung {
			s.e.limiter.release(1)
		}
		r.lane.openRequests.remove(r.ID)
		r.lane.onWire.Done()
		if hung {
			return
		}
	}
}

func (s *posters) begin(p *poster) {
	now := s.e.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p.since = now
}

// end reports whether another poster serves in the place of p.
func (s *posters) end(p *poster) (hung bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.since = time.Time{}
	if p.hung {
		s.hung--
		delete(s.all, p)
	}
	return p.hung
}

// watch replaces the posters whose requests hang until ctx ends.
func (s *posters) watch(ctx context.Context) {
	ctxtime.Every(ctx, hungInterval, func(context.Context) { s.replaceHung() })
}

// replaceHung gives the permits of hung requests back, starts a poster for
// each, and returns how many there were.
func (s *posters) replaceHung() int {
	now, n := s.e.cfg.Now(), 0
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.all {
		if p.hung || p.since.IsZero() || now.Sub(p.since) < hungAfter || s.hung >= maxHung*s.e.cfg.Connections {
			continue
		}
		p.hung = true
		s.hung++
		n++
		s.add()
	}
	if n > 0 {
		s.e.limiter.release(n)
	}
	return n
}

// hungCount returns how many requests hang.
func (s *posters) hungCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hung
}

// post sends one request unless it has to wait or must not go. latency is how
// long the answer took; posted says whether there was a request at all.
func (e *Engine) post(r request) (latency time.Duration, posted bool) {
	began := e.cfg.Now()
	switch {
	case began.Sub(r.dispatched) > maxQueueTime:
		r.lane.requeueUnreachable(r.ClaimedMessage)
	case r.lane.throttle.isLimitedSince(r.dispatched):
		r.lane.requeue(r.ClaimedMessage, ledger.CodeRateLimited, wordsRateLimited)
	case !e.mayText(r.lane, r.ClaimedMessage):
		r.lane.throttle.refund(1)
	default:
		r.lane.send(r.token, r.ClaimedMessage, r.dispatched)
		return e.cfg.Now().Sub(began), true
	}
	return 0, false
}
