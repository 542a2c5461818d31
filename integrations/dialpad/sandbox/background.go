package sandbox

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// background runs goroutines and waits for them at the end.
type background struct {
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	mu      sync.Mutex   // no goroutine starts once stop waits
	pending atomic.Int64 // event deliveries in progress
}

func newBackground() *background {
	ctx, cancel := context.WithCancel(context.Background())
	return &background{ctx: ctx, cancel: cancel}
}

// start runs f, which counts as pending until it returns. After stop
// it does nothing.
func (b *background) start(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return
	}
	b.pending.Add(1)
	b.wg.Go(func() {
		defer b.pending.Add(-1)
		f()
	})
}

// stop ends every sleep and waits for all goroutines.
func (b *background) stop() {
	b.mu.Lock()
	b.cancel()
	b.mu.Unlock()
	b.wg.Wait()
}

// stopped reports whether stop was called.
func (b *background) stopped() bool { return b.ctx.Err() != nil }

// sleep waits for d, or until stop.
func (b *background) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.ctx.Done():
	}
}

// drain waits until nothing is pending.
func (b *background) drain(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for b.pending.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
