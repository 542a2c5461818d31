// Package coalesce makes one call of many that come within a moment.
package coalesce

import (
	"sync"
	"time"
)

// Gatherer collects values into groups. While groups are handled, the next one
// gathers.
type Gatherer[T any] struct {
	In    chan T
	Limit int           // values in one group
	Wait  time.Duration // for more values, after the first

	gathering sync.Mutex // one group gathers at a time, so that groups are large
}

// Run calls handle with one group after another, on several goroutines, until
// In is closed and empty.
func (g *Gatherer[T]) Run(goroutines int, handle func(group []T)) {
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

// next waits for a first value and then for more. It returns none when In is
// closed.
func (g *Gatherer[T]) next() []T {
	g.gathering.Lock()
	defer g.gathering.Unlock()
	first, ok := <-g.In
	if !ok {
		return nil
	}
	group := []T{first}
	timeout := time.NewTimer(g.Wait)
	defer timeout.Stop()
	for len(group) < g.Limit {
		select {
		case next, ok := <-g.In:
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
