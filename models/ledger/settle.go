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

// Outcome is how one attempt ended.
type Outcome struct {
	ID        string     `json:"id"`
	Attempt   int        `json:"attempt"`
	State     string     `json:"state"` // sent, failed, uncertain, held; waiting: surely not accepted, again at DueAt
	DialpadID string     `json:"dialpad_id"`
	Code      string     `json:"code"`
	Text      string     `json:"text"`
	DueAt     *time.Time `json:"-"`
	Due       string     `json:"due"` // DueAt as the database writes it

	CallbackID string `json:"-"` // of an automation's text
}

// Transition is a message's change to a new state.
type Transition struct{ ID, TenantID, BatchID, CallbackID, State string }

// Settle applies many outcomes in one statement and returns what changed, for
// FollowUp. States only move forward: an outcome counts for its own attempt
// while that is sending; a late one may still turn uncertain into sent or
// failed, never back into the queue.
//
// Only what one statement can't do takes a transaction: attempts that go back
// to the queue are kept, and an automation's completion is enqueued exactly
// when its text is settled.
func (l *Ledger) Settle(ctx context.Context, outcomes []Outcome) (changed []Transition, err error) {
	if len(outcomes) == 0 {
		return nil, nil
	}
	for i := range outcomes {
		outcomes[i].encode()
	}
	if !slices.ContainsFunc(outcomes, Outcome.needsTransaction) {
		return l.applyOutcomes(ctx, outcomes)
	}
	err = l.Tx(ctx, func(tx *Ledger) error {
		args := map[string]any{"outcomes": database.JSON(outcomes), "now": tx.db.Now()}
		if err := tx.exec(ctx, "save_attempts", args); err != nil {
			return err
		}
		if changed, err = tx.applyOutcomes(ctx, outcomes); err != nil {
			return err
		}
		return tx.enqueueCompletions(ctx, changed)
	})
	return changed, err
}

func (l *Ledger) applyOutcomes(ctx context.Context, outcomes []Outcome) (changed []Transition, err error) {
	args := map[string]any{"outcomes": database.JSON(outcomes), "now": l.db.Now()}
	return changed, l.query(ctx, "settle", args, &changed)
}

func (o Outcome) needsTransaction() bool {
	return o.CallbackID != "" || o.State == Waiting || o.State == Held
}

// encode writes an outcome as the database takes it. Postgres refuses a NUL in
// a text: one in Dialpad's words would keep its whole group from being written.
func (o *Outcome) encode() {
	for _, text := range []*string{&o.Text, &o.Code, &o.DialpadID} {
		*text = strings.ReplaceAll(*text, "\x00", "")
	}
	if o.DueAt != nil {
		o.Due = o.DueAt.UTC().Format(database.TimeFormat)
	}
}

// enqueueCompletions enqueues the completions of automations whose text has
// ended. An unknown outcome waits for its event: a job now would only stand in
// the way of the one that the event brings.
func (l *Ledger) enqueueCompletions(ctx context.Context, changed []Transition) error {
	var jobs []river.JobArgs
	for _, t := range changed {
		if t.CallbackID != "" && t.State != Waiting && t.State != Held && t.State != Uncertain {
			jobs = append(jobs, queue.CompleteCallback{TenantID: t.TenantID, CallbackID: t.CallbackID})
		}
	}
	return l.db.Enqueue(ctx, jobs...)
}

// FollowUp does what follows from changed messages and may come a little later:
// it enqueues the timeline's sync, and ends batches whose last message this
// was. Call it outside the transaction that changed them: two of those would
// each see the other's message still open, and neither would end the batch.
// What a crash leaves out, the sweep finds.
func (l *Ledger) FollowUp(ctx context.Context, changed []Transition) error {
	tenants, ended, requeued := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, t := range changed {
		tenants[t.TenantID] = true
		if t.State == Waiting || t.State == Held {
			requeued[t.BatchID] = true
		} else {
			ended[t.BatchID] = true
		}
	}
	jobs, err := l.cancelledBatchJobs(ctx, slices.Collect(maps.Keys(requeued)))
	if err != nil {
		return err
	}
	for t := range tenants {
		jobs = append(jobs, queue.SyncTimeline{TenantID: t})
	}
	if err := l.db.Enqueue(ctx, jobs...); err != nil || len(ended) == 0 {
		return err
	}
	return l.Batches.Finish(ctx, slices.Collect(maps.Keys(ended)))
}

// cancelledBatchJobs returns the jobs for batches that were cancelled while
// texts of theirs were on the wire, which are back in the queue now.
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
