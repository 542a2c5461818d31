package sandbox

import (
	"encoding/json"
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
	Status int       // 0: no answer was given
	Fault  FaultKind // "": none
}

// Text is one text that the sandbox accepted, or that a phone sent.
type Text struct {
	ID        int64
	CompanyID string
	UserID    string
	From      string // E.164
	To        string // E.164
	Text      string
	Inbound   bool
	At        time.Time
}

// Count says how often one text to one number was accepted.
type Count struct {
	To, Text string
	Times    int
}

const (
	recorderShards = 64
	maxRequests    = 1000 // kept
)

// Recorder records requests and accepted texts, for tests. It is
// sharded by number, so that benchmarks do not wait for a lock.
type Recorder struct {
	posts, accepted atomic.Int64
	countOnly       bool
	keepPosts       bool
	seed            maphash.Seed
	shards          [recorderShards]recorderShard
	requests        ring[Request]
}

type recorderShard struct {
	mu     sync.Mutex
	counts map[numberAndText]int32
	posted map[string]time.Time // by number: when its last POST arrived
	texts  []Text
	_      [64]byte // own cache line
}

type numberAndText struct{ to, text string }

func newRecorder(o Options) *Recorder {
	r := &Recorder{countOnly: o.CountOnly, keepPosts: o.KeepPosts, seed: maphash.MakeSeed(), requests: ring[Request]{size: maxRequests}}
	for i := range r.shards {
		r.shards[i].counts = map[numberAndText]int32{}
		r.shards[i].posted = map[string]time.Time{}
	}
	return r
}

func (r *Recorder) shard(to string) *recorderShard {
	return &r.shards[maphash.String(r.seed, to)%recorderShards]
}

func (r *Recorder) recordText(t Text) {
	r.accepted.Add(1)
	s := r.shard(t.To)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[numberAndText{t.To, t.Text}]++
	if !r.countOnly {
		s.texts = append(s.texts, t)
	}
}

// recordPost records the number that a POST's body names, whatever becomes of
// the POST.
func (r *Recorder) recordPost(body []byte) {
	var in struct {
		ToNumbers []string `json:"to_numbers"`
	}
	if !r.keepPosts || json.Unmarshal(body, &in) != nil {
		return
	}
	now := time.Now()
	for _, to := range in.ToNumbers {
		s := r.shard(to)
		s.mu.Lock()
		s.posted[to] = now
		s.mu.Unlock()
	}
}

// LastPost returns when the last POST with a text to this number arrived,
// accepted or not, the zero time for none. It needs KeepPosts.
func (r *Recorder) LastPost(to string) time.Time {
	s := r.shard(to)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.posted[to]
}

// SMSPosts returns how many POST /api/v2/sms arrived, accepted or not.
func (r *Recorder) SMSPosts() int { return int(r.posts.Load()) }

// Accepted returns how many texts were accepted.
func (r *Recorder) Accepted() int { return int(r.accepted.Load()) }

// AcceptedOf returns how often this text to this number was accepted.
func (r *Recorder) AcceptedOf(to, text string) int {
	s := r.shard(to)
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.counts[numberAndText{to, text}])
}

// TextedTwice returns every text that was accepted more than once for
// the same number.
func (r *Recorder) TextedTwice() []Count {
	var out []Count
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for key, n := range s.counts {
			if n > 1 {
				out = append(out, Count{To: key.to, Text: key.text, Times: int(n)})
			}
		}
		s.mu.Unlock()
	}
	return out
}

// Texts returns every accepted text, oldest first. With CountOnly it is
// empty.
func (r *Recorder) Texts() []Text {
	var out []Text
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		out = append(out, s.texts...)
		s.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b Text) int { return int(a.ID - b.ID) })
	return out
}

// Requests returns the last 1,000 API calls, oldest first.
func (r *Recorder) Requests() []Request { return r.requests.all() }
