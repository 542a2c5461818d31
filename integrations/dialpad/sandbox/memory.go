package sandbox

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Request is one API call that arrived.
type Request struct {
	At     time.Time
	Method string
	Path   string
	Status int       // 0 = no answer was given
	Fault  FaultKind // "" = none struck
}

// Text is one text that the sandbox accepted, or that a phone sent.
type Text struct {
	ID        int64
	CompanyID string
	UserID    string
	From      string
	To        string
	Text      string
	Inbound   bool
	At        time.Time
}

// Count is how often one text to one number was accepted.
type Count struct {
	To, Text string
	Times    int
}

const shards = 64

// ledger remembers every accepted text, sharded so that benchmarks don't queue for a lock.
type ledger struct {
	posts, accepted atomic.Int64
	countOnly       bool
	seed            maphash.Seed
	shards          [shards]shard
}

type shard struct {
	mu     sync.Mutex
	counts map[pair]int32
	texts  []Text
	_      [64]byte // own cache line
}

type pair struct{ to, text string }

func (l *ledger) init(countOnly bool) {
	l.countOnly, l.seed = countOnly, maphash.MakeSeed()
	for i := range l.shards {
		l.shards[i].counts = map[pair]int32{}
	}
}

func (l *ledger) shard(to string) *shard { return &l.shards[maphash.String(l.seed, to)%shards] }

func (l *ledger) accept(t Text) {
	l.accepted.Add(1)
	s := l.shard(t.To)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[pair{t.To, t.Text}]++
	if !l.countOnly {
		s.texts = append(s.texts, t)
	}
}

// SMSPosts is how many POST /api/v2/sms arrived, whatever became of them.
func (s *Sandbox) SMSPosts() int { return int(s.ledger.posts.Load()) }

// Accepted is how many texts were accepted.
func (s *Sandbox) Accepted() int { return int(s.ledger.accepted.Load()) }

// AcceptedOf is how often this text to this number was accepted.
func (s *Sandbox) AcceptedOf(to, text string) int {
	sh := s.ledger.shard(to)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return int(sh.counts[pair{to, text}])
}

// TextedTwice is every text that was accepted more than once for the same number.
func (s *Sandbox) TextedTwice() []Count {
	var out []Count
	for i := range s.ledger.shards {
		sh := &s.ledger.shards[i]
		sh.mu.Lock()
		for p, n := range sh.counts {
			if n > 1 {
				out = append(out, Count{To: p.to, Text: p.text, Times: int(n)})
			}
		}
		sh.mu.Unlock()
	}
	return out
}

// Texts is every accepted text, oldest first. Empty with CountOnly.
func (s *Sandbox) Texts() []Text {
	var out []Text
	for i := range s.ledger.shards {
		sh := &s.ledger.shards[i]
		sh.mu.Lock()
		out = append(out, sh.texts...)
		sh.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b Text) int { return int(a.ID - b.ID) })
	return out
}

// Requests is the last 1,000 API calls, oldest first.
func (s *Sandbox) Requests() []Request { return s.requests.all() }

// ring keeps the newest size values.
type ring[T any] struct {
	size int
	mu   sync.Mutex
	vals []T
	next int
}

func (r *ring[T]) add(v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.vals) < r.size {
		r.vals = append(r.vals, v)
		return
	}
	r.vals[r.next] = v
	r.next = (r.next + 1) % r.size
}

// all is oldest first.
func (r *ring[T]) all() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]T{}, r.vals[r.next:]...), r.vals[:r.next]...)
}

// idSource makes 16-digit ids like Dialpad's.
type idSource struct{ n atomic.Int64 }

const firstID = 4612924117880000

func (s *idSource) next() int64 { return firstID + s.n.Add(1) }

// feed is what the phones page shows: the newest texts in both directions, and a bell for those who watch.
type feed struct {
	texts    ring[Text]
	mu       sync.Mutex
	watchers map[chan struct{}]bool
	watched  atomic.Bool
}

func (f *feed) add(t Text) {
	f.texts.add(t)
	if !f.watched.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		select {
		case w <- struct{}{}:
		default: // has not looked since the last ring
		}
	}
}

func (f *feed) watch() (bell chan struct{}, stop func()) {
	bell = make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers == nil {
		f.watchers = map[chan struct{}]bool{}
	}
	f.watchers[bell] = true
	f.watched.Store(true)
	return bell, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, bell)
		f.watched.Store(len(f.watchers) > 0)
	}
}
