package texting

import (
	"context"
	"fmt"

	"dialpad-texting/app/market"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// Batch returns one batch.
func (x *Texting) Batch(ctx context.Context, a Asker, id string) (BatchView, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.scope(), id)
	if err != nil {
		return BatchView{}, found(err)
	}
	return x.view(ctx, a, b)
}

// Cancel cancels the rest of a batch; what is on the wire goes on.
func (x *Texting) Cancel(ctx context.Context, a Asker, id string) (BatchView, error) {
	from := []string{ledger.BatchScheduled, ledger.BatchPreparing, ledger.BatchSending, ledger.BatchPaused, ledger.BatchHeld}
	return x.move(ctx, a, id, from, map[string]any{"state": ledger.BatchCancelled, "held_reason": "Cancelled by " + a.Name,
		"finished_at": x.now().UTC()}, "There is nothing left to cancel.")
}

// Pause stops a batch from sending until it is resumed.
func (x *Texting) Pause(ctx context.Context, a Asker, id string) (BatchView, error) {
	return x.move(ctx, a, id, []string{ledger.BatchPreparing, ledger.BatchSending},
		map[string]any{"state": ledger.BatchPaused, "held_reason": "Paused by " + a.Name}, "Only a batch that is being sent can be paused.")
}

// Resume lets a paused or held batch go on, if its tenant and sender may text now.
func (x *Texting) Resume(ctx context.Context, a Asker, id string) (BatchView, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.scope(), id)
	if err != nil {
		return BatchView{}, found(err)
	}
	senderID, refusal, err := x.sendsFor(ctx, b)
	if err != nil {
		return BatchView{}, err
	}
	if refusal != nil {
		return BatchView{}, refusal
	}
	state := ledger.BatchPreparing
	switch {
	case b.Prepared:
		state = ledger.BatchSending
	case b.SendAt != nil && b.StartedAt == nil && b.SendAt.After(x.now()):
		state = ledger.BatchScheduled
	}
	set := map[string]any{"state": state, "held_reason": "", "held_code": "", "held_at": nil, "sender_id": senderID}
	if state == ledger.BatchPreparing && (b.StartedAt == nil || b.Cursor == "") {
		set["started_at"] = x.now().UTC() // late or not, whoever resumes it wants it now
	}
	return x.move(ctx, a, id, []string{ledger.BatchPaused, ledger.BatchHeld}, set, "This batch is not paused.")
}

// sendsFor is the account that a batch's texts go out from now, or why they may not; "" for an automation's, each of
// which has a sender of its own.
func (x *Texting) sendsFor(ctx context.Context, b ledger.Batch) (string, *market.Refusal, error) {
	if b.Source == ledger.SourceAutomation {
		refusal, err := x.market.TenantMay(ctx, b.TenantID)
		return "", refusal, err
	}
	account, refusal, err := x.market.UserMay(ctx, b.TenantID, b.SenderEmail)
	return account.DialpadID, refusal, err
}

// move changes a batch's state and queues what carries it over to its messages.
func (x *Texting) move(ctx context.Context, a Asker, id string, from []string, set map[string]any, late string) (BatchView, error) {
	if _, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.scope(), id); err != nil {
		return BatchView{}, found(err)
	}
	err := x.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Batches.Update(ctx, a.Tenant.ID, id, from, set); err != nil {
			return err
		}
		if err := tx.Audits.Add(ctx, a.Tenant.ID, a.UserID, "batch."+fmt.Sprint(set["state"]), map[string]string{"batch": id}); err != nil {
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
		return BatchView{}, lost(err, late)
	}
	return x.Batch(ctx, a, id)
}

// CancelMessage cancels one text that has not been claimed.
func (x *Texting) CancelMessage(ctx context.Context, a Asker, id string) (MessageView, error) {
	m, err := x.store.Messages.Get(ctx, a.Tenant.ID, a.scope(), id)
	if err != nil {
		return MessageView{}, found(err)
	}
	err = x.store.Messages.Cancel(ctx, m, "Cancelled by "+a.Name)
	if err != nil {
		return MessageView{}, lost(err, "It is too late to cancel this text.")
	}
	if m, err = x.store.Messages.Get(ctx, a.Tenant.ID, a.scope(), id); err != nil {
		return MessageView{}, err
	}
	return messageView(m), nil
}
