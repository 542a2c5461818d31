package delivery

import (
	"context"
	"sync"
	"time"
)

// batcher sends the database one query for many lanes.
// A thousand companies that text 100 times a minute
// each would otherwise cost a query for each text.
type batcher[Q, A any] struct {
	query func(context.Context, []Q) ([]A, error) // one answer for each question, in order
	wait  time.Duration                           // for more questions, after the first
	in    chan call[Q, A]

	gathering sync.Mutex // one group at a time, so that groups are large
}

type call[Q, A any] struct {
	question Q
	done     chan<- answer[A]
}

type answer[A any] struct {
	value A
	err   error
}

const (
	maxBatch         = 200 // questions in one query
	batchConcurrency = 4   // queries at once
	// queryTimeout bounds a query, for one lane or for many.
	queryTimeout = 10 * time.Second
)

func newBatcher[Q, A any](wait time.Duration, query func(context.Context, []Q) ([]A, error)) *batcher[Q, A] {
	return &batcher[Q, A]{query: query, wait: wait, in: make(chan call[Q, A], maxBatch)}
}

// run answers questions until in is closed.
func (b *batcher[Q, A]) run() {
	var clients sync.WaitGroup
	for range batchConcurrency {
		clients.Go(func() {
			for group := b.gather(); len(group) > 0; group = b.gather() {
				b.answer(group)
			}
		})
	}
	clients.Wait()
}

// gather returns the next questions, none when in is closed.
func (b *batcher[Q, A]) gather() []call[Q, A] {
	b.gathering.Lock()
	defer b.gathering.Unlock()
	return gather(b.in, maxBatch, b.wait)
}

func (b *batcher[Q, A]) answer(group []call[Q, A]) {
	questions := make([]Q, len(group))
	for i, c := range group {
		questions[i] = c.question
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	values, err := b.query(ctx, questions)
	for i, c := range group {
		a := answer[A]{err: err}
		if err == nil {
			a.value = values[i]
		}
		c.done <- a
	}
}

// ask waits for the answer to one question. The answer always comes.
func (b *batcher[Q, A]) ask(q Q) (A, error) {
	done := make(chan answer[A], 1)
	b.in <- call[Q, A]{q, done}
	a := <-done
	return a.value, a.err
}

// gather waits for a first value and then, up to wait, for
// more, up to limit. It returns none when in is closed.
func gather[T any](in <-chan T, limit int, wait time.Duration) []T {
	first, ok := <-in
	if !ok {
		return nil
	}
	group := []T{first}
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for len(group) < limit {
		select {
		case next, ok := <-in:
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
