package batch

import (
	"context"

	"dialpad-texting/app/apierror"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// applyChunkSize is how many rows one statement changes. Short
// transactions let the lane claim in between.
const applyChunkSize = 2000

// ApplyState applies a batch's state to its messages: those of a
// cancelled one are cancelled, of a paused or held one held, of a
// resumed one queued again. It is idempotent, and returns how many
// messages changed.
func (x *Batches) ApplyState(ctx context.Context, tenantID, batchID string) (changed int, err error) {
	b, err := x.store.Batches.Get(ctx, tenantID, "", batchID)
	if err != nil {
		return 0, apierror.IgnoreNotFound(err)
	}
	for {
		n, err := x.applySome(ctx, b)
		changed += n
		if err != nil {
			return changed, err
		}
		if n < applyChunkSize {
			return changed, x.afterApply(ctx, b, changed)
		}
		if changed == n && IsRunning(b) { // the first need not wait for the last
			if err := x.markLaneDue(ctx, b); err != nil {
				return changed, err
			}
		}
		if b, err = x.store.Batches.Get(ctx, tenantID, "", batchID); err != nil {
			return changed, err // it may have been resumed meanwhile: the rest is queued then
		}
	}
}

// IsRunning reports whether a batch is being prepared or sent.
func IsRunning(b ledger.Batch) bool {
	return b.State == ledger.BatchPreparing || b.State == ledger.BatchSending
}

func (x *Batches) applySome(ctx context.Context, b ledger.Batch) (int, error) {
	from := []string{ledger.Queued, ledger.Waiting}
	to, code := ledger.Held, b.State
	switch b.State {
	case ledger.BatchPaused, ledger.BatchHeld:
	case ledger.BatchCancelled:
		from = append(from, ledger.Held)
		to, code = ledger.Cancelled, ledger.CodeCancelled
		if b.HeldCode == ledger.HeldExpired {
			to, code = ledger.Failed, ledger.HeldExpired
		}
	case ledger.BatchPreparing, ledger.BatchSending:
		return x.requeue(ctx, b)
	default:
		return 0, nil
	}
	n, err := x.store.Messages.ChangeState(ctx, b.TenantID, b.ID, from, to, code, b.HeldReason, applyChunkSize)
	return int(n), err
}

// requeue queues held messages again, in the lane of the company that
// is connected now, from the account that the sender has now.
func (x *Batches) requeue(ctx context.Context, b ledger.Batch) (int, error) {
	c, err := x.store.Connections.Get(ctx, b.TenantID)
	if err != nil {
		return 0, apierror.IgnoreNotFound(err)
	}
	lane, err := x.store.Lanes.Get(ctx, b.TenantID, c.CompanyID)
	if err != nil {
		return 0, apierror.IgnoreNotFound(err)
	}
	sender := b.SenderID // "" with automations: each of their texts has a sender of its own
	if b.Source != ledger.SourceAutomation {
		switch _, account, _, err := x.eligibility.CheckSender(ctx, b.TenantID, b.Sender()); {
		case err != nil:
			return 0, err
		case account.DialpadID != "":
			sender = account.DialpadID
		}
	}
	return x.store.Messages.Requeue(ctx, lane, b.ID, sender, applyChunkSize)
}

func (x *Batches) afterApply(ctx context.Context, b ledger.Batch, changed int) error {
	if b.State == ledger.BatchCancelled && !b.Prepared && b.Source != ledger.SourceAutomation {
		if err := x.store.Enqueue(ctx, queue.RecordCancelled{TenantID: b.TenantID, BatchID: b.ID}); err != nil {
			return err
		}
	}
	if b.Source == ledger.SourceOneToOne && !b.Prepared && b.WasHeld() {
		if err := x.store.Enqueue(ctx, queue.SyncWaiting{TenantID: b.TenantID, BatchID: b.ID}); err != nil {
			return err
		}
	}
	if changed == 0 && b.State != ledger.BatchSending {
		return nil
	}
	c, err := x.store.Connections.Get(ctx, b.TenantID)
	if err != nil {
		return apierror.IgnoreNotFound(err)
	}
	if err := x.store.Lanes.ResetTurns(ctx, b, c.CompanyID, b.SenderID); err != nil {
		return err
	}
	if IsRunning(b) {
		if err := x.store.Batches.Finish(ctx, []string{b.ID}); err != nil {
			return err
		}
		return x.markLaneDue(ctx, b)
	}
	return nil
}

// markLaneDue makes a batch's lane due now.
func (x *Batches) markLaneDue(ctx context.Context, b ledger.Batch) error {
	c, err := x.store.Connections.Get(ctx, b.TenantID)
	if err != nil {
		return apierror.IgnoreNotFound(err)
	}
	if err := x.store.Lanes.MarkDue(ctx, b.TenantID, c.CompanyID, x.now()); err != nil {
		return err
	}
	x.cfg.Notify()
	return nil
}
