package ledger

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/models/database"
	"dialpad-texting/models/queue"
)

// Outcome is the result of one attempt to send a message.
type Outcome struct {
	ID        string     `json:"id"` // of the message
	Attempt   int        `json:"attempt"`
	State     string     `json:"state"` // Sent, Failed, Uncertain, Held, or Waiting: retry at DueAt
	DialpadID string     `json:"dialpad_id"`
	Code      string     `json:"code"`
	Text      string     `json:"text"`
	DueAt     *time.Time `json:"-"`
	Due       string     `json:"due"` // DueAt in the database's format, set by Settle

	CallbackID string `json:"-"` // of an automation's message
}

// Transition is the change of a message to State.
type Transition struct {
	ID, TenantID, BatchID, CallbackID, State string
	UserID, PreviousState                    string     // for the figures
	SettledAt                                *time.Time // when it first was
}

// Settle applies many outcomes in one statement and returns what
// changed; pass that to FollowUp. An outcome applies to its own
// attempt while the message is sending. A late one may change
// uncertain to sent or failed, but never queue the message again.
//
// The texts are counted in the same transaction.
func (l *Ledger) Settle(ctx context.Context, outcomes []Outcome) (changed []Transition, err error) {
	if len(outcomes) == 0 {
		return nil, nil
	}
	for i := range outcomes {
		outcomes[i].encode()
	}
	args := map[string]any{"outcomes": database.JSON(outcomes), "now": l.db.Now(), "refused": refusedText}
	err = l.Tx(ctx, func(tx *Ledger) error {
		changed = nil
		if slices.ContainsFunc(outcomes, Outcome.isQueuedAgain) {
			if err := tx.exec(ctx, "save_attempts", args); err != nil {
				return err
			}
		}
		if err := tx.query(ctx, "settle", args, &changed); err != nil {
			return err
		}
		if err := tx.enqueueCompletions(ctx, changed); err != nil {
			return err
		}
		return tx.Counters.count(ctx, changed)
	})
	return changed, err
}

func (o Outcome) isQueuedAgain() bool { return o.State == Waiting || o.State == Held }

// encode removes NUL characters, which Postgres refuses, and sets Due.
// A NUL from Dialpad would fail the statement for all its outcomes.
func (o *Outcome) encode() {
	for _, text := range []*string{&o.Text, &o.Code, &o.DialpadID} {
		*text = strings.ReplaceAll(*text, "\x00", "")
	}
	if o.DueAt != nil {
		o.Due = o.DueAt.UTC().Format(database.TimeFormat)
	}
}

// enqueueCompletions enqueues the completions of automation calls
// whose message has ended. For an uncertain message the event enqueues
// it: a job queued now would block that one, as jobs are unique.
func (l *Ledger) enqueueCompletions(ctx context.Context, changed []Transition) error {
	var jobs []river.JobArgs
	for _, t := range changed {
		if t.CallbackID != "" && t.State != Waiting && t.State != Held && t.State != Uncertain {
			jobs = append(jobs, queue.CompleteCallback{TenantID: t.TenantID, CallbackID: t.CallbackID})
		}
	}
	return l.db.Enqueue(ctx, jobs...)
}

// FollowUp finishes batches whose last message is settled. Call it
// after the transaction that changed the messages: of two concurrent
// transactions, each would see the other's message open, and neither
// would finish the batch. After a crash the sweep does it.
func (l *Ledger) FollowUp(ctx context.Context, changed []Transition) error {
	ended, requeued := map[string]bool{}, map[string]bool{}
	for _, t := range changed {
		if t.State == Queued || t.State == Waiting || t.State == Held {
			requeued[t.BatchID] = true
		} else {
			ended[t.BatchID] = true
		}
	}
	jobs, err := l.cancelledBatchJobs(ctx, slices.Collect(maps.Keys(requeued)))
	if err != nil {
		return err
	}
	if err := l.db.Enqueue(ctx, jobs...); err != nil || len(ended) == 0 {
		return err
	}
	return l.Batches.Finish(ctx, slices.Collect(maps.Keys(ended)))
}

// cancelledBatchJobs returns the jobs for those of the batches that
// were cancelled while they had messages sending, which are queued
// again now.
func (l *Ledger) cancelledBatchJobs(ctx context.Context, batchIDs []string) (jobs []river.JobArgs, err error) {
	if len(batchIDs) == 0 {
		return nil, nil
	}
	var cancelled []Batch
	err = l.q(ctx).Select("id", "tenant_id").Where("id IN ? AND state = ?", batchIDs, BatchCancelled).Find(&cancelled).Error
	for _, b := range cancelled {
		jobs = append(jobs, queue.ApplyBatchState{TenantID: b.TenantID, BatchID: b.ID})
	}
	return jobs, err
}
