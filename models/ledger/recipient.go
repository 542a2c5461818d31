package ledger

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Recipient is a person chosen for a batch, once each. It is written once, with
// the message. What is searched by person stands here: each change of a
// message's state writes all index entries of its row again.
type Recipient struct {
	BatchID     string `gorm:"primaryKey"`
	MessageID   string `gorm:"primaryKey"`
	TenantID    string
	Module      string
	RecordID    string
	CallbackID  string // an automation may text a record again, so its callback counts too
	ContactID   string
	NumberKey   string // keyed hash of the number, "" for none
	HoldsNumber bool   // nobody else in the batch is texted at it
}

func newRecipient(m Message) Recipient {
	return Recipient{BatchID: m.BatchID, MessageID: m.ID, TenantID: m.TenantID, Module: m.Module, RecordID: m.RecordID,
		CallbackID: m.CallbackID, ContactID: m.ContactID, NumberKey: m.ToKey,
		HoldsNumber: m.ToKey != "" && m.CallbackID == "" && m.State != Skipped}
}

// addRecipients returns the messages whose recipients are new to their batch.
func (s Messages) addRecipients(ctx context.Context, messages []Message) ([]Message, error) {
	rows, ids := make([]Recipient, len(messages)), make([]string, len(messages))
	for i, m := range messages {
		rows[i], ids[i] = newRecipient(m), m.ID
	}
	r := s.l.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&rows, 200)
	if r.Error != nil {
		return nil, database.Translate(r.Error)
	}
	if r.RowsAffected == int64(len(rows)) {
		return messages, nil // the usual case; reading each page again makes a long bulk slow on Postgres
	}
	var have []string
	if err := s.l.q(ctx).Model(&Recipient{}).Where("batch_id = ? AND tenant_id = ? AND message_id IN ?", messages[0].BatchID, messages[0].TenantID, ids).
		Pluck("message_id", &have).Error; err != nil {
		return nil, err
	}
	known, admitted := setOf(have), make([]Message, 0, len(have))
	for _, m := range messages {
		if known[m.ID] {
			admitted = append(admitted, m)
		}
	}
	return admitted, nil
}

// ByNumber returns a batch's text to the number with a key, or ErrNotFound.
func (s Messages) ByNumber(ctx context.Context, tenantID, batchID, numberKey string) (Message, error) {
	var m Message
	return m, database.Translate(s.l.q(ctx).Take(&m, "tenant_id = ? AND id = (SELECT message_id FROM recipients WHERE batch_id = ? AND tenant_id = ? AND number_key = ? AND holds_number)",
		tenantID, batchID, tenantID, numberKey).Error)
}

// idsByRecipient selects the ids of messages by a condition on recipients.
func (s Messages) idsByRecipient(ctx context.Context, tenantID, where string, arg any) *gorm.DB {
	return s.l.q(ctx).Model(&Recipient{}).Select("message_id").Where("tenant_id = ?", tenantID).Where(where, arg)
}
