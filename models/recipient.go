package models

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Recipient is somebody chosen for a batch, once each. It is written once, beside the message: whatever is looked up by
// person stands here, since each change of a message's state writes all index entries of its row anew.
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

func recipientOf(m Message) Recipient {
	return Recipient{BatchID: m.BatchID, MessageID: m.ID, TenantID: m.TenantID, Module: m.Module, RecordID: m.RecordID,
		CallbackID: m.CallbackID, ContactID: m.ContactID, NumberKey: m.ToKey,
		HoldsNumber: m.ToKey != "" && m.CallbackID == "" && m.State != Skipped}
}

// admit keeps the messages whose recipients are new to their batch.
func (s *Store) admit(ctx context.Context, messages []Message) ([]Message, error) {
	rows, ids := make([]Recipient, len(messages)), make([]string, len(messages))
	for i, m := range messages {
		rows[i], ids[i] = recipientOf(m), m.ID
	}
	r := s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&rows, 200)
	if r.Error != nil {
		return nil, one(r.Error)
	}
	if r.RowsAffected == int64(len(rows)) {
		return messages, nil // the usual case; looking each page up again made a long bulk slow on Postgres
	}
	var have []string
	if err := s.q(ctx).Model(&Recipient{}).Where("batch_id = ? AND tenant_id = ? AND message_id IN ?", messages[0].BatchID, messages[0].TenantID, ids).
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

// MessageByNumber returns the text of a batch that goes to a number, named by its key, or ErrNotFound.
func (s *Store) MessageByNumber(ctx context.Context, tenantID, batchID, numberKey string) (Message, error) {
	var m Message
	return m, one(s.q(ctx).Take(&m, "tenant_id = ? AND id = (SELECT message_id FROM recipients WHERE batch_id = ? AND tenant_id = ? AND number_key = ? AND holds_number)",
		tenantID, batchID, tenantID, numberKey).Error)
}

// of are the ids of messages by what their recipients are known by.
func (s *Store) of(ctx context.Context, tenantID, where string, arg any) *gorm.DB {
	return s.q(ctx).Model(&Recipient{}).Select("message_id").Where("tenant_id = ?", tenantID).Where(where, arg)
}
