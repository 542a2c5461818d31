package timeline

import (
	"sync"
	"time"
)

// backoff remembers, in this process, the messages that the CRM fails at.
type backoff struct {
	now func() time.Time

	mu      sync.Mutex
	failing map[string]failure // by message id
}

type failure struct {
	times int
	until time.Time
}

const (
	minBackoff = 30 * time.Second
	maxBackoff = time.Hour
	maxFailing = 10_000
)

func (b *backoff) isWaiting(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now().Before(b.failing[id].until)
}

func (b *backoff) succeeded(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.failing, id)
}

// failed lets a message wait, each time twice as long.
func (b *backoff) failed(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.failing) >= maxFailing {
		clear(b.failing) // each is then tried once more than it should be
	}
	f := b.failing[id]
	f.until = b.now().Add(min(minBackoff<<min(f.times, 10), maxBackoff))
	f.times++
	b.failing[id] = f
}
