package delivery

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dialpad-texting/internal/coalesce"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// settler writes outcomes in groups. While a
// group is being written the next one gathers.
type settler struct {
	gatherer coalesce.Gatherer[outcome]
	store    *models.Store
	log      *slog.Logger

	mu        sync.Mutex
	followUps []ledger.Transition // settled since the last follow-up
}

// outcome is what became of one text. done
// is called once it is written, or can't be.
type outcome struct {
	ledger.Outcome
	done func(o ledger.Outcome, written bool)
}

const (
	maxSettle         = 512 // outcomes in one query
	settleConcurrency = 2
	settleTimeout     = 15 * time.Second
	// settleWait is how long the first outcome of a group waits for
	// others. A query for one costs as much as a query for ten.
	settleWait = 10 * time.Millisecond

	minSettleRetry = 50 * time.Millisecond
	maxSettleRetry = 2 * time.Second
)

func newSettler(store *models.Store, log *slog.Logger) *settler {
	return &settler{store: store, log: log,
		gatherer: coalesce.Gatherer[outcome]{In: make(chan outcome, 4*maxSettle), Limit: maxSettle, Wait: settleWait}}
}

// run writes outcomes until in is closed. It takes no ctx: an
// answer that came must be written, also by a process that stops.
func (s *settler) run() { s.gatherer.Run(settleConcurrency, s.write) }

// write retries until the database takes the group: to drop an
// outcome would make a known answer unknown. If the process is
// killed meanwhile, its messages stay sending and become uncertain.
func (s *settler) write(group []outcome) {
	for wait, stripped := minSettleRetry, false; ; {
		moved, err := s.settle(group)
		switch {
		case err == nil:
			s.addFollowUps(moved)
			done(group, true)
			return
		case !models.RefusedData(err):
			s.log.Error("settle outcomes failed", "outcomes", len(group), "err", err)
			time.Sleep(wait)
			wait = min(2*wait, maxSettleRetry)
		case len(group) > 1: // find the one that is refused; the others must not wait for it
			s.write(group[:len(group)/2])
			s.write(group[len(group)/2:])
			return
		case !stripped:
			stripped = true
			group = []outcome{group[0].withoutText()}
		default: // it stays sending; the lane's next owner marks it as uncertain
			s.log.Error("outcome refused by the database", "message", group[0].ID, "state", group[0].State, "err", err)
			done(group, false)
			return
		}
	}
}

func done(group []outcome, written bool) {
	for _, o := range group {
		o.done(o.Outcome, written)
	}
}

// withoutText returns o without what came from Dialpad.
func (o outcome) withoutText() outcome {
	o.Code, o.Text, o.DialpadID = "", "", ""
	return o
}

func (s *settler) settle(group []outcome) ([]ledger.Transition, error) {
	rows := make([]ledger.Outcome, len(group))
	for i, o := range group {
		rows[i] = o.Outcome
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	return s.store.Settle(ctx, rows)
}

// addFollowUps leaves texts to the next followUp.
func (s *settler) addFollowUps(moved []ledger.Transition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followUps = append(s.followUps, moved...)
}

// followUp updates the timelines and batches of the texts that were settled
// since the last call. It does so for many texts at once, since it costs more
// than to settle them. What a dying process leaves here, a sweep finds.
func (s *settler) followUp(ctx context.Context) {
	s.mu.Lock()
	moved := s.followUps
	s.followUps = nil
	s.mu.Unlock()
	if len(moved) == 0 {
		return
	}
	// A round that has begun ends, also in a process that stops.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := s.store.FollowUp(ctx, moved); err != nil {
		s.log.Error("follow up settled texts failed", "texts", len(moved), "err", err)
		s.addFollowUps(moved)
	}
}
