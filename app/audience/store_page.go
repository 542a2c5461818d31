package audience

import (
	"cmp"
	"context"
	"errors"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
)

// storePage stores a page's messages and the cursor after it, if the
// batch is as it was read; else models.ErrLost.
func (x *Audience) storePage(ctx context.Context, tx *models.Store, b models.Batch, sender string, p Page) error {
	now, err := tx.BatchForUpdate(ctx, b.TenantID, b.ID)
	if err != nil {
		return err
	}
	if now.State != models.BatchPreparing || now.Cursor != b.Cursor || now.Version != b.Version {
		return models.ErrLost
	}
	if err := x.Queue(ctx, tx, b, sender, p.Recipients); err != nil {
		return err
	}
	set := map[string]any{"cursor": p.Next, "prepare_note": ""}
	if p.Next == "" {
		set["prepared"], set["state"] = true, models.BatchSending
	}
	if err := tx.UpdateBatch(ctx, b.TenantID, b.ID, []string{models.BatchPreparing}, set); err != nil {
		return err
	}
	if p.Next == "" {
		return tx.FinishBatches(ctx, []string{b.ID}) // everyone may have been excluded
	}
	return nil
}

// Queue stores recipients as messages (queued, waiting for their time,
// or skipped with the reason) and wakes the tenant's lane. Call it in a
// transaction.
func (x *Audience) Queue(ctx context.Context, tx *models.Store, b models.Batch, sender string, list []Recipient) error {
	c, err := tx.Connection(ctx, b.TenantID)
	if err != nil {
		return err
	}
	t, err := tx.Tenant(ctx, b.TenantID)
	if err != nil {
		return err
	}
	lane, err := tx.LaneOf(ctx, b.TenantID, c.CompanyID)
	if err != nil {
		return err
	}
	messages := make([]models.Message, len(list))
	for i, r := range list {
		messages[i] = x.message(t, b, lane.ID, sender, r)
	}
	added, err := tx.AddMessages(ctx, lane, messages)
	if err != nil {
		return err
	}
	if err := addDuplicates(ctx, tx, lane, b, messages, added); err != nil {
		return err
	}
	return tx.Wake(ctx, b.TenantID, lane.ID, firstDue(messages, x.now()))
}

func (x *Audience) message(t models.Tenant, b models.Batch, laneID, sender string, r Recipient) models.Message {
	now := x.now()
	m := models.Message{ID: models.NewID(), TenantID: b.TenantID, BatchID: b.ID, LaneID: laneID, Class: b.Class, UserID: b.UserID,
		SenderID: sender, Module: b.Module, RecordID: r.RecordID, ContactID: r.ContactID, DealID: r.DealID, Name: r.Name, Deal: r.Deal,
		ToNumber: r.Number, ToKey: r.NumberKey, Text: r.Text, Segments: r.Segments.Segments, State: models.Queued, Untold: true}
	switch {
	case r.Code != "":
		m.State, m.ErrorCode, m.ErrorText, m.Text, m.Untold = models.Skipped, r.Code, r.Reason, "", false
		return m
	case sender == "":
		m.State, m.ErrorCode, m.ErrorText, m.SettledAt = models.Failed, eligibility.CodeNoAccount, eligibility.NoAccountMessage, &now
		return m
	}
	at := now
	if b.SendAt != nil && b.SendAt.After(at) {
		at = *b.SendAt
	}
	if b.MoveQuiet {
		m.QuietZone = cmp.Or(r.TimeZone, t.TimeZone)
		if until := compose.QuietUntil(at, m.QuietZone, t.QuietFrom, t.QuietTo); !until.IsZero() {
			at = until.UTC()
		}
	}
	if at.After(now) {
		m.State, m.DueAt = models.Waiting, &at
	}
	return m
}

// addDuplicates stores, as skipped, the messages that the database
// refused since their number already has one in this batch. Those of a
// page that was stored before stay as they are.
func addDuplicates(ctx context.Context, tx *models.Store, lane models.Lane, b models.Batch, all []models.Message,
	added map[string]bool) error {
	var skipped []models.Message
	for _, m := range all {
		if added[m.ID] {
			continue
		}
		first, err := tx.MessageByNumber(ctx, b.TenantID, b.ID, m.ToKey)
		if errors.Is(err, models.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if first.RecordID == m.RecordID && first.Module == m.Module {
			continue
		}
		m.ID, m.State, m.ErrorCode = models.NewID(), models.Skipped, CodeDuplicate
		m.ErrorText = sameNumberAs(nameWithDeal(first.Name, first.Deal))
		m.Text, m.DueAt, m.Turn, m.Untold = "", nil, 0, false
		skipped = append(skipped, m)
	}
	_, err := tx.AddMessages(ctx, lane, skipped)
	return err
}

// firstDue is when the lane has work: now, or at the first due time.
func firstDue(messages []models.Message, now time.Time) time.Time {
	first := time.Time{}
	for _, m := range messages {
		if m.State != models.Waiting || m.DueAt == nil {
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
