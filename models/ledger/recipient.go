package ledger

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Recipient is a person in a batch. It is written once, with the
// message. The columns that are searched by person are here rather
// than in Message, because each change of a message's state rewrites
// all its index entries.
type Recipient struct {
	BatchID     string `gorm:"primaryKey"`
	MessageID   string `gorm:"primaryKey"`
	TenantID    string
	Module      string
	RecordID    string
	CallbackID  string // an automation may text a record once per call
	ContactID   string
	NumberKey   string // keyed hash of the number, "" for none
	HoldsNumber bool   // no other recipient of the batch may have the number
}

func newRecipient(m Message) Recipient {
	return Recipient{BatchID: m.BatchID, MessageID: m.ID, TenantID: m.TenantID, Module: m.Module, RecordID: m.RecordID,
		CallbackID: m.CallbackID, ContactID: m.ContactID, NumberKey: m.ToKey,
		HoldsNumber: m.ToKey != "" && m.CallbackID == "" && m.State != Skipped}
}

// addRecipients stores the recipients of messages of one batch, and
// returns the messages whose recipients are stored now or were before, and
// whether all were new.
func (s Messages) addRecipients(ctx context.Context, messages []Message) (admitted []Message, allNew bool, err error) {
	rows, ids := make([]Recipient, len(messages)), make([]string, len(messages))
	for i, m := range messages {
		rows[i], ids[i] = newRecipient(m), m.ID
	}
	r := s.l.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&rows, 200)
	if r.Error != nil {
		return nil, false, database.Translate(r.Error)
	}
	if r.RowsAffected == int64(len(rows)) {
		return slices.Clone(messages), true, nil // saves the query, which slows a long bulk down on Postgres
	}
	var stored []string
	if err := s.l.q(ctx).Model(&Recipient{}).Where("batch_id = ? AND tenant_id = ? AND message_id IN ?", messages[0].BatchID, messages[0].TenantID, ids).
		Pluck("message_id", &stored).Error; err != nil {
		return nil, false, err
	}
	isStored := setOf(stored)
	for _, m := range messages {
		if isStored[m.ID] {
			admitted = append(admitted, m)
		}
	}
	return admitted, false, nil
}

// ByNumber returns a batch's message to the number with a key, or
// ErrNotFound.
func (s Messages) ByNumber(ctx context.Context, tenantID, batchID, numberKey string) (Message, error) {
	var m Message
	return m, database.Translate(s.l.q(ctx).Take(&m, "tenant_id = ? AND id = (SELECT message_id FROM recipients WHERE batch_id = ? AND tenant_id = ? AND number_key = ? AND holds_number)",
		tenantID, batchID, tenantID, numberKey).Error)
}

// idsByRecipient returns a subquery of the ids of messages by a
// condition on recipients.
func (s Messages) idsByRecipient(ctx context.Context, tenantID, where string, arg any) *gorm.DB {
	return s.l.q(ctx).Model(&Recipient{}).Select("message_id").Where("tenant_id = ?", tenantID).Where(where, arg)
}
