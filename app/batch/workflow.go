package batch

import (
	"context"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/hours"
	"dialpad-texting/app/walltime"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Sender is who an automation's text goes out from.
type Sender struct{ UserID, DialpadID string }

// EnqueueAction adds an automation's text to its workflow's batch of
// the day and returns its row, which may only say why no text goes out.
//
// Call it in a transaction, once for each action. If the row is queued or
// waits for the end of quiet hours, mark its lane due last; else finish the
// batch after the transaction.
func (x *Batches) EnqueueAction(ctx context.Context, tx *models.Store, t models.Tenant, s Sender,
	a audience.Action, to audience.Target) (ledger.Message, error) {
	b, err := tx.Batches.OpenForWorkflow(ctx, workflowBatch(t, a, x.now()), a.CalledAt)
	if err != nil {
		return ledger.Message{}, err
	}
	if err := x.cfg.limitAction(ctx, tx, t, s, &to); err != nil {
		return ledger.Message{}, err
	}
	m := actionMessage(b, s, a, to, x.now())
	if m.State == ledger.Queued || m.State == ledger.Held {
		audience.KeepQuietHours(&m, t, to.TimeZone, x.now())
	}
	lane := ledger.Lane{}
	if m.State == ledger.Queued || m.State == ledger.Waiting || m.State == ledger.Held {
		c, err := tx.Connections.Get(ctx, t.ID)
		if err != nil {
			return m, err
		}
		if lane, err = tx.Lanes.Get(ctx, t.ID, c.CompanyID); err != nil {
			return m, err
		}
	}
	m.LaneID = lane.ID
	added, err := tx.Messages.Add(ctx, lane, []ledger.Message{m})
	if err == nil && !added[m.ID] {
		err = models.ErrConflict
	}
	return m, err
}

// workflowBatch is the batch of a workflow's day, in the tenant's zone.
// It has no user: only admins see it.
func workflowBatch(t models.Tenant, a audience.Action, now time.Time) ledger.Batch {
	return ledger.Batch{ID: models.NewID(), TenantID: t.ID, Source: ledger.SourceAutomation, Class: ledger.ClassAutomation,
		WorkflowID: a.WorkflowID, WorkflowName: a.WorkflowName, Module: a.Module, ToField: a.ToField, Message: a.Message,
		TemplateID: a.TemplateID, IdempotencyKey: "workflow:" + a.WorkflowID + ":" + date(a.CalledAt, t.TimeZone),
		State: ledger.BatchSending, Prepared: true, Expected: 1, StartedAt: &now, DeferInQuietHours: true}
}

func date(at time.Time, zone string) string {
	zone, _ = walltime.Zone(zone)
	return hours.Local(at, zone).Format(time.DateOnly)
}

func actionMessage(b ledger.Batch, s Sender, a audience.Action, to audience.Target, now time.Time) ledger.Message {
	m := ledger.Message{ID: a.MessageID, TenantID: b.TenantID, BatchID: b.ID, Class: b.Class, CallbackID: a.CallbackID,
		UserID: s.UserID, SenderID: s.DialpadID, Module: a.Module, RecordID: a.RecordID, ContactID: to.ContactID, DealID: to.DealID,
		Name: to.Name, Deal: to.Deal, ToNumber: to.Number, ToKey: to.NumberKey, Text: to.Text,
		Segments: to.Segments.Segments, State: ledger.Queued}
	switch {
	case b.State == ledger.BatchCancelled:
		m.State, m.ErrorCode, m.ErrorText, m.SettledAt = ledger.Cancelled, ledger.CodeCancelled, b.HeldReason, &now
	case to.Excluded:
		m.State, m.ErrorCode, m.ErrorText, m.Text = ledger.Skipped, to.Code, to.Reason, ""
	case to.Code != "":
		m.State, m.ErrorCode, m.ErrorText, m.SettledAt = ledger.Failed, to.Code, to.Reason, &now
	case b.State == ledger.BatchPaused || b.State == ledger.BatchHeld:
		m.State, m.ErrorCode, m.ErrorText = ledger.Held, b.State, b.HeldReason
	}
	m.TimelinePending = m.ContactID != "" && m.State != ledger.Skipped
	return m
}
