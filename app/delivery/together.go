package delivery

import (
	"context"
	"sync"
	"time"
)

// together asks the database for many lanes at once: a thousand companies of 100 texts a minute would otherwise cost a
// statement for each text, and as many for each look.
type together[Q, A any] struct {
	ask    func(context.Context, []Q) ([]A, error) // one answer for each question, in order
	within time.Duration                           // how long a first lane waits for others
	in     chan call[Q, A]

	gathering sync.Mutex // one group at a time, so that they are large
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
	togetherMost    = 200 // lanes in one statement
	togetherClients = 4
)

func newTogether[Q, A any](within time.Duration, ask func(context.Context, []Q) ([]A, error)) *together[Q, A] {
	return &together[Q, A]{ask: ask, within: within, in: make(chan call[Q, A], togetherMost)}
}

// run asks until in is closed.
func (t *together[Q, A]) run() {
	var clients sync.WaitGroup
	for range togetherClients {
		clients.Go(func() {
			for group := t.group(); len(group) > 0; group = t.group() {
				t.answer(group)
			}
		})
	}
	clients.Wait()
}

// group is the next questions, none when in is closed.
func (t *together[Q, A]) group() []call[Q, A] {
	t.gathering.Lock()
	defer t.gathering.Unlock()
	return gathered(t.in, togetherMost, t.within)
}

func (t *together[Q, A]) answer(group []call[Q, A]) {
	questions := make([]Q, len(group))
	for i, c := range group {
		questions[i] = c.question
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	values, err := t.ask(ctx, questions)
	for i, c := range group {
		a := answer[A]{err: err}
		if err == nil {
			a.value = values[i]
		}
		c.done <- a
	}
}

// one is a lane's question; its answer always comes.
func (t *together[Q, A]) one(q Q) (A, error) {
	done := make(chan answer[A], 1)
	t.in <- call[Q, A]{q, done}
	a := <-done
	return a.value, a.err
}

// gathered waits for a first value and then, for a time, for more of them; none when in is closed.
func gathered[T any](in <-chan T, most int, within time.Duration) []T {
	first, ok := <-in
	if !ok {
		return nil
	}
	group := []T{first}
	soon := time.NewTimer(within)
	defer soon.Stop()
	for len(group) < most {
		select {
		case next, ok := <-in:
			if !ok {
				return group
			}
			group = append(group, next)
		case <-soon.C:
			return group
		}
	}
	return group
}
