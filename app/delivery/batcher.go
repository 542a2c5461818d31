package delivery

import (
	"context"
	"time"
)

// batcher sends the database one query for many lanes. A thousand companies
// that text 100 times a minute each would otherwise cost a query for each text.
type batcher[Q, A any] struct {
	gatherer[call[Q, A]]
	query func(context.Context, []Q) ([]A, error) // one answer for each question, in order
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

// newBatcher returns a batcher. A first question waits that long for others.
func newBatcher[Q, A any](wait time.Duration, query func(context.Context, []Q) ([]A, error)) *batcher[Q, A] {
	return &batcher[Q, A]{gatherer: gatherer[call[Q, A]]{in: make(chan call[Q, A], maxBatch), limit: maxBatch, wait: wait}, query: query}
}

// run answers questions until in is closed.
func (b *batcher[Q, A]) run() { b.gatherer.run(batchConcurrency, b.answer) }

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
