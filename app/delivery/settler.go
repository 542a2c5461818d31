package delivery

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// settler writes outcomes many at a time: what comes within a few milliseconds is one group, and while it is being
// written the next one gathers.
type settler struct {
	store *models.Store
	log   *slog.Logger
	in    chan outcome

	gathering sync.Mutex // one group at a time, so that they are large

	mu    sync.Mutex
	moved []ledger.Transition // settled since the last follow-up
}

// outcome is what became of one text, and who wants to know once it is durable.
type outcome struct {
	ledger.Outcome
	durable func(o ledger.Outcome, written bool)
}

const (
	settleGroup   = 512
	settleWriters = 2
	// settleWithin is how long a first outcome waits for others: a statement for one costs as much as one for ten.
	settleWithin = 10 * time.Millisecond
)

func newSettler(store *models.Store, log *slog.Logger) *settler {
	return &settler{store: store, log: log, in: make(chan outcome, 4*settleGroup)}
}

// run writes until in is closed. It takes no ctx: an answer that was received must be written, also while stopping.
func (s *settler) run() {
	var writers sync.WaitGroup
	for range settleWriters {
		writers.Go(func() {
			for group := s.group(); len(group) > 0; group = s.group() {
				s.write(group)
			}
		})
	}
	writers.Wait()
}

// group is the next outcomes, none when in is closed.
func (s *settler) group() []outcome {
	s.gathering.Lock()
	defer s.gathering.Unlock()
	return gathered(s.in, settleGroup, settleWithin)
}

// write tries until the database takes it: dropping an outcome would turn a known answer into an unknown one. A
// process that is killed meanwhile leaves its messages sending, and they become uncertain.
func (s *settler) write(group []outcome) {
	for wait, bare := 50*time.Millisecond, false; ; {
		moved, err := s.settle(group)
		switch {
		case err == nil:
			s.follow(moved)
			settledAll(group, true)
			return
		case !ledger.RefusedData(err):
			s.log.Error("settling failed, trying again", "outcomes", len(group), "err", err)
			time.Sleep(wait)
			wait = min(2*wait, 2*time.Second)
		case len(group) > 1: // one of them: the others must not wait for it
			s.write(group[:len(group)/2])
			s.write(group[len(group)/2:])
			return
		case !bare:
			bare = true
			group = []outcome{group[0].withoutWords()}
		default: // it stays sending, and becomes uncertain with the next owner of its lane
			s.log.Error("the database refuses an outcome", "message", group[0].ID, "state", group[0].State, "err", err)
			settledAll(group, false)
			return
		}
	}
}

func settledAll(group []outcome, written bool) {
	for _, o := range group {
		o.durable(o.Outcome, written)
	}
}

// withoutWords is the outcome without what came from outside.
func (o outcome) withoutWords() outcome {
	o.Code, o.Text, o.DialpadID = "", "", ""
	return o
}

func (s *settler) settle(group []outcome) ([]ledger.Transition, error) {
	rows := make([]ledger.Outcome, len(group))
	for i, o := range group {
		rows[i] = o.Outcome
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	return s.store.Settle(ctx, rows)
}

// follow has the next round follow moved texts up.
func (s *settler) follow(moved []ledger.Transition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved = append(s.moved, moved...)
}

// followUp is the round that lets timelines and batches follow what was settled since the last one: once for many
// texts, since both cost more than a settle. What a process that dies leaves here is found by a sweep.
func (s *settler) followUp(ctx context.Context) {
	s.mu.Lock()
	moved := s.moved
	s.moved = nil
	s.mu.Unlock()
	if len(moved) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second) // a round that has begun ends
	defer cancel()
	if err := s.store.FollowUp(ctx, moved); err != nil {
		s.log.Error("following up settled texts failed, trying again", "texts", len(moved), "err", err)
		s.follow(moved)
	}
}
