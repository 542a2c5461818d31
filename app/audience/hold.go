package audience

import (
	"context"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// senderOrHold checks again who sends: plan, installation, connection
// and account at this moment. It holds the batch where the tenant may
// not text.
//
// Without an account the sender is "", and the recipients' messages
// fail with the reason. Before its time a batch keeps the account it
// had: the account may be active again by then.
func (x *Audience) senderOrHold(ctx context.Context, t models.Tenant, b ledger.Batch) (senderID string, held bool, err error) {
	_, account, refusal, err := x.eligibility.CheckSender(ctx, t.ID, b.Sender())
	switch {
	case err != nil:
		return "", false, err
	case refusal == nil:
		return account.DialpadID, false, nil
	case refusal.Code == eligibility.CodeNoAccount:
		if b.SendAt != nil && b.SendAt.After(x.now()) {
			return b.SenderID, false, nil
		}
		return "", false, nil
	case refusal.Code == eligibility.CodeUnreachable:
		return "", false, refusal
	}
	return "", true, x.hold(ctx, b, refusal.HeldCode, refusal.Message)
}

// hold holds a batch that was being prepared, with its messages so far.
func (x *Audience) hold(ctx context.Context, b ledger.Batch, code, reason string) error {
	return changeState(ctx, x.store, b, map[string]any{"state": ledger.BatchHeld, "held_reason": reason,
		"held_code": code, "held_at": x.now(), "history": ledger.Happened(ledger.Moment{At: x.now(), What: ledger.MomentHeld, Reason: reason})})
}

// CancelBatch cancels a batch that can't go on, unless it changed since
// it was read. code is "" or models.HeldExpired.
func CancelBatch(ctx context.Context, store *models.Store, b ledger.Batch, code, reason string, now time.Time) error {
	return changeState(ctx, store, b, map[string]any{"state": ledger.BatchCancelled, "held_reason": reason,
		"held_code": code, "finished_at": now, "history": ledger.Happened(ledger.Moment{At: now, What: ledger.MomentCancelled, Reason: reason})})
}

// changeState updates a batch and queues the job that updates its
// messages.
func changeState(ctx context.Context, store *models.Store, b ledger.Batch, set map[string]any) error {
	return apierror.IgnoreLost(store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Batches.UpdateUnchanged(ctx, b, set); err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.ApplyBatchState{TenantID: b.TenantID, BatchID: b.ID})
	}))
}
