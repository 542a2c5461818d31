package audience

import (
	"context"
	"errors"

	"dialpad-texting/app/apierror"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// RecordCancelled stores the people of a batch that was cancelled before
// it was prepared: cancelled, or failed where it was held for too long.
// Page by page, as Prepare does; after an error, run it again.
//
// It skips a resend: its people are those of the old batch, from which
// they may be sent again as long as they have no message here.
func (x *Audience) RecordCancelled(ctx context.Context, tenantID, batchID string) error {
	seen := cursorSet{}
	for {
		b, err := x.store.Batches.Get(ctx, tenantID, "", batchID)
		if err != nil || b.State != ledger.BatchCancelled || b.Prepared || b.ResendOf != "" || b.Message == "" { // an erased one has no text
			return apierror.IgnoreNotFound(err)
		}
		t, err := x.store.Tenants.Get(ctx, tenantID)
		if err != nil {
			return err
		}
		spec, err := specOf(t, b)
		if err != nil {
			return nil //nolint:nilerr // impossible: it was checked when it was written
		}
		p, err := x.recipients(ctx, spec, b.Cursor)
		if err == nil {
			err = seen.check(p.Next)
		}
		if err != nil {
			return err
		}
		excludeDuplicates(p.Recipients)
		err = x.store.Tx(ctx, func(tx *models.Store) error { return x.storeCancelled(ctx, tx, b, p) })
		if errors.Is(err, models.ErrLost) {
			continue
		}
		if err != nil || p.Next == "" {
			return err
		}
		seen.add(p.Next)
	}
}

// storeCancelled stores a page's people and the cursor after it.
func (x *Audience) storeCancelled(ctx context.Context, tx *models.Store, b ledger.Batch, p Page) error {
	t, err := tx.Tenants.Get(ctx, b.TenantID)
	if err != nil {
		return err
	}
	now := x.now()
	messages := make([]ledger.Message, len(p.Recipients))
	for i, r := range p.Recipients {
		m := x.message(t, b, "", b.SenderID, r)
		if m.State != ledger.Skipped {
			m.DueAt, m.QuietAt, m.SettledAt, m.ErrorText = nil, nil, &now, b.HeldReason
			m.State, m.ErrorCode, m.TimelinePending = ledger.Cancelled, ledger.CodeCancelled, false // the CRM never heard of it
			if b.HeldCode == ledger.HeldExpired {
				m.State, m.ErrorCode, m.TimelinePending = ledger.Failed, ledger.HeldExpired, true
			}
		}
		messages[i] = m
	}
	added, err := tx.Messages.Add(ctx, ledger.Lane{TenantID: b.TenantID}, messages)
	if err != nil {
		return err
	}
	if err := addDuplicates(ctx, tx, ledger.Lane{TenantID: b.TenantID}, b, messages, added); err != nil {
		return err
	}
	set := map[string]any{"cursor": p.Next}
	if p.Next == "" {
		set["prepared"] = true
	}
	return tx.Batches.UpdateUnchanged(ctx, b, set)
}
