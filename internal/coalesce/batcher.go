package coalesce

import (
	"context"
	"time"
)

// Batcher answers many questions by one query. A thousand companies that text
// 100 times a minute each would otherwise cost a query for each text.
type Batcher[Q, A any] struct {
	gatherer Gatherer[call[Q, A]]
	query    func(context.Context, []Q) ([]A, error) // one answer for each question, in order
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
	maxBatch    = 200 // questions in one query
	concurrency = 4   // queries at once
	// QueryTimeout bounds a query, for one question or for many.
	QueryTimeout = 10 * time.Second
)

// NewBatcher returns a Batcher. wait is how long the first
// question of a batch waits for more.
func NewBatcher[Q, A any](wait time.Duration, query func(context.Context, []Q) ([]A, error)) *Batcher[Q, A] {
	return &Batcher[Q, A]{query: query,
		gatherer: Gatherer[call[Q, A]]{In: make(chan call[Q, A], maxBatch), Limit: maxBatch, Wait: wait}}
}

// Run answers questions until Close.
func (b *Batcher[Q, A]) Run() { b.gatherer.Run(concurrency, b.answer) }

// Close ends Run once all questions are answered. Nothing may be asked after.
func (b *Batcher[Q, A]) Close() { close(b.gatherer.In) }

func (b *Batcher[Q, A]) answer(group []call[Q, A]) {
	questions := make([]Q, len(group))
	for i, c := range group {
		questions[i] = c.question
	}
	ctx, cancel := context.WithTimeout(context.Background(), QueryTimeout)
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

// Ask waits for the answer to one question. The answer always comes.
func (b *Batcher[Q, A]) Ask(q Q) (A, error) {
	return b.AskContext(context.Background(), q)
}

// AskContext is Ask that stops waiting when ctx ends. The question may be
// answered all the same.
func (b *Batcher[Q, A]) AskContext(ctx context.Context, q Q) (A, error) {
	var none A
	done := make(chan answer[A], 1)
	select {
	case b.gatherer.In <- call[Q, A]{q, done}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
