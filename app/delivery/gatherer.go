package delivery

import (
	"sync"
	"time"
)

// gatherer collects values into groups. While groups are handled, the
// next one gathers.
type gatherer[T any] struct {
	in    chan T
	limit int           // values in one group
	wait  time.Duration // for more values, after the first

	gathering sync.Mutex // one group gathers at a time, so that groups are large
}

// run calls handle with one group after another, on several goroutines,
// until in is closed and empty.
func (g *gatherer[T]) run(goroutines int, handle func(group []T)) {
	var running sync.WaitGroup
	for range goroutines {
		running.Go(func() {
			for group := g.next(); len(group) > 0; group = g.next() {
				handle(group)
			}
		})
	}
	running.Wait()
}

// next waits for a first value and then for more. It returns none when
// in is closed.
func (g *gatherer[T]) next() []T {
	g.gathering.Lock()
	defer g.gathering.Unlock()
	first, ok := <-g.in
	if !ok {
		return nil
	}
	group := []T{first}
	timeout := time.NewTimer(g.wait)
	defer timeout.Stop()
	for len(group) < g.limit {
		select {
		case next, ok := <-g.in:
			if !ok {
				return group
			}
			group = append(group, next)
		case <-timeout.C:
			return group
		}
	}
	return group
}
