package ledger

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// Last returns the message that was last posted from a number to a
// person, between two times, or ErrNotFound. from are the forms of the number
// (E.164), keys the keyed hashes of the person's.
func (s Pairs) Last(ctx context.Context, tenantID string, from, keys []string, since, until time.Time) (Message, error) {
	var m Message
	return m, database.Translate(s.l.q(ctx).Where("tenant_id = ? AND id IN (?) AND from_number IN ? AND state IN ? AND claimed_at BETWEEN ? AND ?", tenantID,
		s.l.Messages.idsByRecipient(ctx, tenantID, "number_key IN ? AND number_key <> ''", keys), from, []string{Sending, Sent, Delivered, Undelivered, Uncertain}, since.UTC(), until.UTC()).
		Order("claimed_at DESC, id DESC").Take(&m).Error)
}

// CountContacts returns how many contacts were texted at a number, by its
// keyed hashes.
func (s Pairs) CountContacts(ctx context.Context, tenantID string, keys []string) (int, error) {
	var n int64
	err := s.l.q(ctx).Model(&Recipient{}).Where("tenant_id = ? AND number_key IN ? AND number_key <> '' AND contact_id <> ''", tenantID, keys).Distinct("contact_id").Count(&n).Error
	return int(n), err
}

// PostedTo pages what was posted to a person, by the keyed hashes of the
// number, newest first. before is the moment and the id that the page comes
// before.
func (s Pairs) PostedTo(ctx context.Context, tenantID string, keys []string, before time.Time, beforeID string, limit int) ([]Message, error) {
	var out []Message
	return out, s.l.q(ctx).Where("tenant_id = ? AND id IN (?) AND state IN ? AND (claimed_at, id) < (?, ?)", tenantID,
		s.l.Messages.idsByRecipient(ctx, tenantID, "number_key IN ? AND number_key <> ''", keys), []string{Sending, Sent, Delivered, Undelivered, Uncertain, Failed}, before.UTC(), beforeID).
		Order("claimed_at DESC, id DESC").Limit(limit).Find(&out).Error
}

// MarkReplied notes that a text of a batch was answered.
func (s Pairs) MarkReplied(ctx context.Context, tenantID, batchID string) error {
	return s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND NOT has_replied", tenantID, batchID).UpdateColumn("has_replied", true).Error
}
