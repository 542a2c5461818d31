// Package intake bounds what a server takes from its clients: the bytes of
// the bodies that it holds at one time, how long one may take to arrive, and
// how often an address may fail.
package intake

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// Errors of Body.Read. A body that is longer than it may be is an
// *http.MaxBytesError.
var (
	// ErrBusy means that too much is coming in at once.
	ErrBusy = errors.New("too many bytes of bodies are held")
	// ErrSlow means that the body did not arrive in time.
	ErrSlow = errors.New("the body did not arrive in time")
)

// smallBody is what nearly every body fits in. Its bytes have a budget of
// their own: large bodies, or those that never end, leave room for it.
const smallBody = 16 << 10

// Limits are bytes that bodies may hold at one time: of one client, and of
// all. Each applies twice: to the first 16 KiB of each body, and to what is
// beyond them.
type Limits struct{ Client, Total int }

// Pool is the bodies that are being read or used. It is safe for concurrent
// use.
type Pool struct {
	limits Limits

	mu    sync.Mutex
	small share
	large share
}

// share is a budget that clients share.
type share struct {
	total   int
	clients map[string]int
}

// NewPool returns a Pool.
func NewPool(l Limits) *Pool {
	return &Pool{limits: l, small: share{clients: map[string]int{}}, large: share{clients: map[string]int{}}}
}

// Held returns how many bytes all bodies hold.
func (p *Pool) Held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.small.total + p.large.total
}

// Body is a request's body, read once.
type Body struct {
	pool      *Pool
	client    string // "": only the limit of all applies
	most      int
	within    time.Duration
	read      bool
	sizeSmall int // held in pool.small
	sizeLarge int
}

// Open returns the body of a client's request, of at most most bytes, which
// have to arrive within a time. Release it.
func (p *Pool) Open(client string, most int, within time.Duration) *Body {
	return &Body{pool: p, client: client, most: most, within: within}
}

// WasRead reports whether the whole body arrived.
func (b *Body) WasRead() bool { return b.read }

// Limit lowers the bytes that the body may have.
func (b *Body) Limit(most int) { b.most = min(b.most, most) }

// Release gives back what the body holds: from then on its bytes are not
// counted. Call it when they are no longer needed, or when it is known that
// they are a trusted client's.
func (b *Body) Release() {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	b.pool.small.give(b.client, b.sizeSmall)
	b.pool.large.give(b.client, b.sizeLarge)
	b.sizeSmall, b.sizeLarge = 0, 0
}

// Read reads the whole body. It holds no more than twice what has arrived,
// whatever length was announced.
func (b *Body) Read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := &http.MaxBytesError{Limit: int64(b.most)}
	if r.ContentLength > tooLarge.Limit {
		return nil, tooLarge
	}
	control := http.NewResponseController(w)
	// Writers that know no deadline are those of tests.
	_ = control.SetReadDeadline(time.Now().Add(b.within))
	body, err := b.readAll(r.Body)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, ErrSlow
	case err != nil:
		return nil, err
	case len(body) > b.most:
		return nil, tooLarge
	}
	b.read = true
	// The server goes on reading, to notice a client that hangs up.
	_ = control.SetReadDeadline(time.Time{})
	return body, nil
}

const firstBuffer = 1 << 10

func (b *Body) readAll(r io.Reader) ([]byte, error) {
	var buffer []byte
	for {
		if len(buffer) == cap(buffer) {
			grown := min(max(2*cap(buffer), firstBuffer), b.most+1)
			if !b.take(grown - cap(buffer)) {
				return nil, ErrBusy
			}
			buffer = append(make([]byte, 0, grown), buffer...)
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case err == io.EOF:
			return buffer, nil
		case err != nil:
			return nil, err
		case len(buffer) > b.most:
			return buffer, nil
		}
	}
}

// take holds so many bytes more, or none.
func (b *Body) take(n int) bool {
	p := b.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	small := min(n, smallBody-b.sizeSmall)
	large := n - small
	if !p.small.has(p.limits, b.client, small) || !p.large.has(p.limits, b.client, large) {
		return false
	}
	p.small.hold(b.client, small)
	p.large.hold(b.client, large)
	b.sizeSmall, b.sizeLarge = b.sizeSmall+small, b.sizeLarge+large
	return true
}

func (s *share) has(l Limits, client string, n int) bool {
	return n == 0 || s.total+n <= l.Total && (client == "" || s.clients[client]+n <= l.Client)
}

func (s *share) hold(client string, n int) {
	if n > 0 {
		s.total += n
		s.clients[client] += n
	}
}

func (s *share) give(client string, n int) {
	s.total -= n
	if s.clients[client] -= n; s.clients[client] <= 0 {
		delete(s.clients, client)
	}
}
