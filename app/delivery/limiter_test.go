package delivery

import (
	"context"
	"testing"
	"time"
)

func TestLimiterCapacityFollowsTheLatency(t *testing.T) {
	for _, c := range []struct {
		latency  time.Duration
		capacity int
	}{{0, 64}, {time.Millisecond, 3 * 64}, {50 * time.Millisecond, 64 + 25}, {5 * time.Second, 64}} {
		l := newLimiter(64)
		for range 200 {
			if l.acquire(context.Background(), 1) != 1 {
				t.Fatal("no permit is free")
			}
			l.observe(c.latency)
			l.release(1)
		}
		if got := l.tryAcquire(1000); got != c.capacity {
			t.Errorf("at a latency of %v: %d permits, want %d", c.latency, got, c.capacity)
		}
	}
}

func TestLimiterReleaseServesTheNextWaiter(t *testing.T) {
	l := newLimiter(1)
	all := l.tryAcquire(1000)
	got := make(chan int)
	for range 3 {
		go func() { got <- l.acquire(context.Background(), 1) }()
	}
	for range 3 {
		l.release(1)
		if n := <-got; n != 1 {
			t.Fatalf("acquired %d", n)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { got <- l.acquire(ctx, 1) }()
	cancel()
	if n := <-got; n != 0 || l.taken != all {
		t.Errorf("acquired %d after the context ended; %d of %d are taken", n, l.taken, all)
	}
}
