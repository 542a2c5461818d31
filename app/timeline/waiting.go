package timeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// SyncWaiting tells the CRM that a scheduled one-to-one, which has no
// message yet, was put on hold, and what became of it then. Its message
// will have the batch's id: it takes the same activity over.
func (s *Syncer) SyncWaiting(ctx context.Context, tenantID, batchID string) error {
	b, err := s.store.Batches.Get(ctx, tenantID, "", batchID)
	if errors.Is(err, models.ErrNotFound) || err == nil && (b.Source != ledger.SourceOneToOne || b.Prepared || b.ToNumber == "" || !b.WasHeld()) {
		return nil
	}
	if err != nil {
		return err
	}
	tenant, err := s.store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return err
	}
	a := crm.Activity{MessageID: b.ID, UserID: b.Sender(), To: b.ToNumber, Body: b.Message, Status: ledger.Queued, Source: b.Source, BatchID: b.ID}
	if strings.Contains(a.Body, "{{") {
		a.Body = "" // its fields are not filled in yet
	}
	if b.State == ledger.BatchHeld || b.State == ledger.BatchCancelled {
		a.Status, a.Error = b.State, b.HeldReason
	}
	if len(b.RecordIDs) == 1 && b.Module == crm.ModuleDeal {
		a.DealID = b.RecordIDs[0]
	} else if len(b.RecordIDs) == 1 {
		a.ContactID = b.RecordIDs[0]
	}
	err = s.crm.UpsertActivity(ctx, crmtenant.Of(tenant), fmt.Sprintf("act_%s_v%d", b.ID, b.Version), a)
	var e *crm.Error
	if errors.As(err, &e) && slices.Contains(finalStatuses, e.Status) {
		return nil
	}
	return err
}

// SyncWaiting does what Syncer.SyncWaiting does, outside of the rounds.
func (r *Rounds) SyncWaiting(ctx context.Context, tenantID, batchID string) error {
	return r.syncer.SyncWaiting(ctx, tenantID, batchID)
}
