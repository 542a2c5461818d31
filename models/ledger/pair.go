package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// notTest is the condition that a message is no test of a text.
const notTest = "NOT EXISTS (SELECT 1 FROM batches b WHERE b.id = messages.batch_id AND b.source = 'test')"

// postedTo selects what may have reached a person, by the keyed hashes of the
// number.
func (s Pairs) postedTo(ctx context.Context, tenantID string, keys []string) *gorm.DB {
	return s.l.q(ctx).Where("tenant_id = ? AND id IN (?) AND state IN ?", tenantID,
		s.l.Messages.idsByRecipient(ctx, tenantID, "number_key IN ? AND number_key <> ''", keys),
		[]string{Sending, Sent, Delivered, Undelivered, Uncertain, Failed}).Where(notTest)
}

// AnsweredAt returns the message that a person answered at a time, not before
// since, or ErrNotFound: the newest one from the number before it, or else, as
// clocks differ, one posted within skew after it. from are the forms of the
// number (E.164), keys the keyed hashes of the person's.
func (s Pairs) AnsweredAt(ctx context.Context, tenantID string, from, keys []string, since, at time.Time, skew time.Duration) (Message, error) {
	var m Message
	for _, until := range []time.Time{at, at.Add(skew)} {
		err := s.postedTo(ctx, tenantID, keys).Where("state <> ? AND from_number IN ? AND claimed_at BETWEEN ? AND ?", Failed, from, since.UTC(), until.UTC()).
			Order("claimed_at DESC, id DESC").Limit(1).Find(&m).Error
		if err != nil || m.ID != "" {
			return m, err
		}
	}
	return m, database.ErrNotFound
}

// Lock returns a message and keeps others from changing it until the
// transaction ends.
func (s Pairs) Lock(ctx context.Context, tenantID, id string) (Message, error) {
	var m Message
	return m, database.Translate(s.l.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Take(&m, "tenant_id = ? AND id = ?", tenantID, id).Error)
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
	return out, s.postedTo(ctx, tenantID, keys).Where("(claimed_at, id) < (?, ?)", before.UTC(), beforeID).
		Order("claimed_at DESC, id DESC").Limit(limit).Find(&out).Error
}

// MarkReplied notes that a text of a batch was answered.
func (s Pairs) MarkReplied(ctx context.Context, tenantID, batchID string) error {
	return s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND NOT has_replied", tenantID, batchID).UpdateColumn("has_replied", true).Error
}
