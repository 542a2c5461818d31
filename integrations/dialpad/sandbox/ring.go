package sandbox

import "sync"

// ring is a ring buffer of the newest size values.
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

// all returns the values, oldest first.
func (r *ring[T]) all() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]T{}, r.vals[r.next:]...), r.vals[:r.next]...)
}
