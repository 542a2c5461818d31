package texting

import (
	"context"
	"fmt"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
)

// Batch returns one batch.
func (x *Texting) Batch(ctx context.Context, a Asker, id string) (BatchView, error) {
	b, err := x.store.Batch(ctx, a.Tenant.ID, a.scope(), id)
	if err != nil {
		return BatchView{}, found(err)
	}
	return x.view(ctx, a, b)
}

// Cancel cancels the rest of a batch; what is on the wire goes on.
func (x *Texting) Cancel(ctx context.Context, a Asker, id string) (BatchView, error) {
	from := []string{models.BatchScheduled, models.BatchPreparing, models.BatchSending, models.BatchPaused, models.BatchHeld}
	return x.move(ctx, a, id, from, map[string]any{"state": models.BatchCancelled, "held_reason": "Cancelled by " + a.Name,
		"finished_at": x.now().UTC()}, "There is nothing left to cancel.")
}

// Pause stops a batch from sending until it is resumed.
func (x *Texting) Pause(ctx context.Context, a Asker, id string) (BatchView, error) {
	return x.move(ctx, a, id, []string{models.BatchPreparing, models.BatchSending},
		map[string]any{"state": models.BatchPaused, "held_reason": "Paused by " + a.Name}, "Only a batch that is being sent can be paused.")
}

// Resume lets a paused or held batch go on, if its tenant and sender may text now.
func (x *Texting) Resume(ctx context.Context, a Asker, id string) (BatchView, error) {
	b, err := x.store.Batch(ctx, a.Tenant.ID, a.scope(), id)
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
	state := models.BatchPreparing
	switch {
	case b.Prepared:
		state = models.BatchSending
	case b.SendAt != nil && b.StartedAt == nil && b.SendAt.After(x.now()):
		state = models.BatchScheduled
	}
	set := map[string]any{"state": state, "held_reason": "", "held_code": "", "held_at": nil, "sender_id": senderID}
	if state == models.BatchPreparing && (b.StartedAt == nil || b.Cursor == "") {
		set["started_at"] = x.now().UTC() // late or not, whoever resumes it wants it now
	}
	return x.move(ctx, a, id, []string{models.BatchPaused, models.BatchHeld}, set, "This batch is not paused.")
}

// sendsFor is the account that a batch's texts go out from now, or why they may not; "" for an automation's, each of
// which has a sender of its own.
func (x *Texting) sendsFor(ctx context.Context, b models.Batch) (string, *eligibility.Refusal, error) {
	if b.Source == models.SourceAutomation {
		refusal, err := x.eligible.CheckTenant(ctx, b.TenantID)
		return "", refusal, err
	}
	account, refusal, err := x.eligible.CheckUser(ctx, b.TenantID, b.SenderEmail)
	return account.DialpadID, refusal, err
}

// move changes a batch's state and queues what carries it over to its messages.
func (x *Texting) move(ctx context.Context, a Asker, id string, from []string, set map[string]any, late string) (BatchView, error) {
	if _, err := x.store.Batch(ctx, a.Tenant.ID, a.scope(), id); err != nil {
		return BatchView{}, found(err)
	}
	err := x.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.UpdateBatch(ctx, a.Tenant.ID, id, from, set); err != nil {
			return err
		}
		if err := tx.Audit(ctx, a.Tenant.ID, a.UserID, "batch."+fmt.Sprint(set["state"]), map[string]string{"batch": id}); err != nil {
			return err
		}
		if set["state"] == models.BatchPreparing {
			if err := tx.Enqueue(ctx, models.PrepareBatch{TenantID: a.Tenant.ID, BatchID: id}); err != nil {
				return err
			}
		}
		return tx.Enqueue(ctx, models.MoveBatch{TenantID: a.Tenant.ID, BatchID: id})
	})
	if err != nil {
		return BatchView{}, lost(err, late)
	}
	return x.Batch(ctx, a, id)
}

// CancelMessage cancels one text that has not been claimed.
func (x *Texting) CancelMessage(ctx context.Context, a Asker, id string) (MessageView, error) {
	m, err := x.store.Message(ctx, a.Tenant.ID, a.scope(), id)
	if err != nil {
		return MessageView{}, found(err)
	}
	err = x.store.CancelMessage(ctx, m, "Cancelled by "+a.Name)
	if err != nil {
		return MessageView{}, lost(err, "It is too late to cancel this text.")
	}
	if m, err = x.store.Message(ctx, a.Tenant.ID, a.scope(), id); err != nil {
		return MessageView{}, err
	}
	return messageView(m), nil
}
