package batch

import (
	"context"
	"fmt"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// Cancel cancels the rest of a batch. Requests already sent to Dialpad
// go on.
func (x *Batches) Cancel(ctx context.Context, a access.Asker, id string) (ledger.Batch, error) {
	from := []string{ledger.BatchScheduled, ledger.BatchPreparing, ledger.BatchSending, ledger.BatchPaused, ledger.BatchHeld}
	return x.changeState(ctx, a, id, from, map[string]any{"state": ledger.BatchCancelled, "held_reason": "Cancelled by " + a.Name,
		"finished_at": x.now(), "history": happened(x.now(), a, ledger.MomentCancelled)}, "There is nothing left to cancel.")
}

// Pause stops a batch until it is resumed.
func (x *Batches) Pause(ctx context.Context, a access.Asker, id string) (ledger.Batch, error) {
	return x.changeState(ctx, a, id, []string{ledger.BatchPreparing, ledger.BatchSending},
		map[string]any{"state": ledger.BatchPaused, "held_reason": "Paused by " + a.Name, "history": happened(x.now(), a, ledger.MomentPaused)},
		"Only a batch that is being sent can be paused.")
}

// Resume lets a paused or held batch go on, if its sender may text now.
func (x *Batches) Resume(ctx context.Context, a access.Asker, id string) (ledger.Batch, error) {
	b, err := x.visible(ctx, a, id)
	if err != nil {
		return ledger.Batch{}, err
	}
	set := columns{"held_reason": "", "held_code": "", "held_at": nil, "history": happened(x.now(), a, ledger.MomentResumed)}
	if err := x.renewSender(ctx, b, set); err != nil {
		return ledger.Batch{}, err
	}
	state := ledger.BatchPreparing
	switch {
	case b.Prepared:
		state = ledger.BatchSending
	case b.SendAt != nil && b.StartedAt == nil && b.SendAt.After(x.now()):
		state = ledger.BatchScheduled
	}
	set["state"] = state
	if state == ledger.BatchPreparing && (b.StartedAt == nil || b.Cursor == "") {
		set["started_at"] = x.now() // a person's resume overrides the late rule
	}
	return x.changeState(ctx, a, id, []string{ledger.BatchPaused, ledger.BatchHeld}, set, "This batch is not paused.")
}

// happened adds to a batch's history what a person did.
func happened(now time.Time, a access.Asker, what string) any {
	return ledger.Happened(ledger.Moment{At: now, What: what, By: a.Name})
}

// renewSender sets the sender's e-mail and account of now. An automation's
// batch has none: each of its texts has a sender of its own.
// *eligibility.Refusal where the texts may not go.
func (x *Batches) renewSender(ctx context.Context, b ledger.Batch, set columns) error {
	if b.Source == ledger.SourceAutomation {
		refusal, err := x.eligibility.CheckTenant(ctx, b.TenantID)
		if err == nil && refusal != nil {
			err = refusal
		}
		return err
	}
	from, err := x.senderFor(ctx, b.TenantID, b.Sender())
	if err == nil {
		from.columns(set)
	}
	return err
}

// changeState changes a visible batch that is in one of the states
// from, and queues the jobs that follow. conflict is the sentence where
// it is in another.
func (x *Batches) changeState(ctx context.Context, a access.Asker, id string, from []string, set map[string]any,
	conflict string) (ledger.Batch, error) {
	if _, err := x.visible(ctx, a, id); err != nil {
		return ledger.Batch{}, err
	}
	err := x.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Batches.Update(ctx, a.Tenant.ID, id, from, set); err != nil {
			return err
		}
		if err := tx.Audits.Add(ctx, a.Tenant.ID, a.UserID, changeAction(set["state"]), map[string]string{"batch": id}); err != nil {
			return err
		}
		if set["state"] == ledger.BatchPreparing {
			if err := tx.Enqueue(ctx, queue.PrepareBatch{TenantID: a.Tenant.ID, BatchID: id}); err != nil {
				return err
			}
		}
		return tx.Enqueue(ctx, queue.ApplyBatchState{TenantID: a.Tenant.ID, BatchID: id})
	})
	if err != nil {
		return ledger.Batch{}, apierror.Lost(err, conflict)
	}
	return x.visible(ctx, a, id)
}

// changeAction names a change of state in the audit log. A batch is resumed to
// several states.
func changeAction(state any) string {
	if state == ledger.BatchPaused || state == ledger.BatchCancelled {
		return fmt.Sprint("batch.", state)
	}
	return "batch.resumed"
}

// CancelMessage cancels one message that no worker has claimed.
func (x *Batches) CancelMessage(ctx context.Context, a access.Asker, id string) (ledger.Message, error) {
	m, err := x.store.Messages.Get(ctx, a.Tenant.ID, a.VisibleUserID(), id)
	if err != nil {
		return m, apierror.NotFound(err)
	}
	err = x.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Messages.Cancel(ctx, m, "Cancelled by "+a.Name); err != nil {
			return err
		}
		return tx.Audits.Add(ctx, m.TenantID, a.UserID, "message.cancelled", map[string]string{"batch": m.BatchID, "message": m.ID})
	})
	if err != nil {
		return m, apierror.Lost(err, "It is too late to cancel this text.")
	}
	if err := x.store.Batches.Finish(ctx, []string{m.BatchID}); err != nil { // in case its other text ended meanwhile
		return m, err
	}
	return x.store.Messages.Get(ctx, a.Tenant.ID, a.VisibleUserID(), id)
}
