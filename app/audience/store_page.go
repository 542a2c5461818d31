package audience

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// storePage stores a page's messages and the cursor after it, if the
// batch is as it was read; else models.ErrLost.
func (x *Audience) storePage(ctx context.Context, tx *models.Store, b ledger.Batch, sender string, p Page) error {
	now, err := tx.Batches.Lock(ctx, b.TenantID, b.ID)
	if err != nil {
		return err
	}
	if now.State != ledger.BatchPreparing || now.Cursor != b.Cursor || now.Version != b.Version {
		return models.ErrLost
	}
	if err := x.Queue(ctx, tx, b, sender, p.Recipients); err != nil {
		return err
	}
	set := map[string]any{"cursor": p.Next, "prepare_note": ""}
	if p.Next == "" {
		set["prepared"], set["state"] = true, ledger.BatchSending
	}
	if err := tx.Batches.Update(ctx, b.TenantID, b.ID, []string{ledger.BatchPreparing}, set); err != nil {
		return err
	}
	if p.Next == "" {
		return tx.Batches.Finish(ctx, []string{b.ID}) // everyone may have been excluded
	}
	return nil
}

// Queue stores recipients as messages (queued, waiting for their time,
// or skipped with the reason) and notifies the tenant's lane. Call it in a
// transaction.
func (x *Audience) Queue(ctx context.Context, tx *models.Store, b ledger.Batch, sender string, list []Recipient) error {
	c, err := tx.Connections.Get(ctx, b.TenantID)
	if err != nil {
		return err
	}
	t, err := tx.Tenants.Get(ctx, b.TenantID)
	if err != nil {
		return err
	}
	lane, err := tx.Lanes.Get(ctx, b.TenantID, c.CompanyID)
	if err != nil {
		return err
	}
	messages := make([]ledger.Message, len(list))
	for i, r := range list {
		messages[i] = x.message(t, b, lane.ID, sender, r)
	}
	added, err := tx.Messages.Add(ctx, lane, messages)
	if err != nil {
		return err
	}
	if err := addDuplicates(ctx, tx, lane, b, messages, added); err != nil {
		return err
	}
	return tx.Lanes.MarkDue(ctx, b.TenantID, lane.ID, firstDue(messages, x.now()))
}

func (x *Audience) message(t models.Tenant, b ledger.Batch, laneID, sender string, r Recipient) ledger.Message {
	now := x.now()
	r.checkText()
	m := ledger.Message{ID: models.NewID(), TenantID: b.TenantID, BatchID: b.ID, LaneID: laneID, Class: b.Class, UserID: b.UserID,
		SenderID: sender, Module: b.Module, RecordID: r.RecordID, ContactID: r.ContactID, DealID: r.DealID, Name: r.Name, Deal: r.Deal,
		ToNumber: r.Number, ToKey: r.NumberKey, Text: r.Text, Segments: r.Segments.Segments, State: ledger.Queued, TimelinePending: true}
	if b.Source == ledger.SourceOneToOne {
		m.ID = b.ID // what the CRM's timeline knows of it already has this id
	}
	switch {
	case r.Code != "":
		m.State, m.ErrorCode, m.ErrorText, m.Text, m.TimelinePending = ledger.Skipped, r.Code, r.Reason, "", false
		return m
	case sender == "":
		m.State, m.ErrorCode, m.ErrorText, m.SettledAt = ledger.Failed, eligibility.CodeNoAccount, eligibility.NoAccountMessage, &now
		return m
	}
	at := now
	if b.SendAt != nil && b.SendAt.After(at) {
		at = *b.SendAt
	}
	if at.After(now) {
		m.State, m.DueAt = ledger.Waiting, &at
	}
	if b.DeferInQuietHours {
		KeepQuietHours(&m, t, r.TimeZone, at)
	}
	return m
}

// addDuplicates stores, as skipped, the messages that the database
// refused since their number already has one in this batch. Those of a
// page that was stored before stay as they are.
func addDuplicates(ctx context.Context, tx *models.Store, lane ledger.Lane, b ledger.Batch, all []ledger.Message,
	added map[string]bool) error {
	var skipped []ledger.Message
	for _, m := range all {
		if added[m.ID] {
			continue
		}
		first, err := tx.Messages.ByNumber(ctx, b.TenantID, b.ID, m.ToKey)
		if errors.Is(err, models.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if first.RecordID == m.RecordID && first.Module == m.Module {
			continue
		}
		m.ID, m.State, m.ErrorCode = models.NewID(), ledger.Skipped, CodeDuplicate
		m.ErrorText = sameNumberAs(nameWithDeal(first.Name, first.Deal))
		m.Text, m.DueAt, m.Turn, m.TimelinePending = "", nil, 0, false
		skipped = append(skipped, m)
	}
	_, err := tx.Messages.Add(ctx, lane, skipped)
	return err
}

// firstDue is when the lane has work: now, or at the first due time.
func firstDue(messages []ledger.Message, now time.Time) time.Time {
	first := time.Time{}
	for _, m := range messages {
		if m.State != ledger.Waiting || m.DueAt == nil {
			return now
		}
		if first.IsZero() || m.DueAt.Before(first) {
			first = *m.DueAt
		}
	}
	if first.IsZero() {
		return now
	}
	return first
}
