package delivery

import (
	"context"
	"testing"
	"time"
)

func TestPermitsGoAheadAtThePaceOfTheAnswers(t *testing.T) {
	for _, c := range []struct {
		answer time.Duration
		most   int
	}{{0, 3 * 64}, {time.Millisecond, 3 * 64}, {50 * time.Millisecond, 64 + 25}, {5 * time.Second, 64}} {
		p := newPermits(64)
		for range 200 {
			if p.take(context.Background(), 1) != 1 {
				t.Fatal("none is free")
			}
			p.answered(c.answer)
		}
		if got := p.takeNow(1000); got != c.most {
			t.Errorf("at answers of %v %d may be claimed, want %d", c.answer, got, c.most)
		}
	}
}

func TestWhoWaitsForAPermitGetsTheNextOne(t *testing.T) {
	p := newPermits(1)
	all := p.takeNow(1000)
	got := make(chan int)
	for range 3 {
		go func() { got <- p.take(context.Background(), 1) }()
	}
	for range 3 {
		p.give(1)
		if n := <-got; n != 1 {
			t.Fatalf("got %d", n)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { got <- p.take(ctx, 1) }()
	cancel()
	if n := <-got; n != 0 || p.taken != all {
		t.Errorf("got %d after the end, %d are taken of %d", n, p.taken, all)
	}
}
