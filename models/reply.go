package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Reply is a text that a person wrote back. It belongs to the text that it
// answers.
type Reply struct {
	ID              string `gorm:"primaryKey"`
	TenantID        string
	MessageID       string
	BatchID         string
	UserID          string // CRM user of the text that it answers
	ContactID       string // of that text
	DealID          string
	Contacts        int    // contacts with this number among the people texted
	NumberKey       string // keyed hash of FromNumber
	FromNumber      string // E.164, the person's
	ToNumber        string // E.164, the Dialpad user's
	BodySealed      Sealed // empty where Dialpad gives no content
	Picture         bool
	WrittenAt       time.Time
	ReceivedAt      time.Time
	TimelinePending bool // not in the CRM's timeline yet

	Body string `gorm:"-"` // opened; "" where Dialpad gives no content
}

// ReplyID returns the id of the reply that Dialpad has under an id: however
// often it is reported, there is one.
func ReplyID(tenantID, dialpadID string) string {
	sum := sha256.Sum256([]byte("reply\x00" + tenantID + "\x00" + dialpadID))
	return hex.EncodeToString(sum[:16])
}

func replyPlace(id string) string { return "replies.body_sealed." + id }

// Add stores a reply once, and reports whether it is new. A body that comes
// later than the reply is added to it.
func (s Replies) Add(ctx context.Context, r Reply) (isNew bool, err error) {
	r.TimelinePending = true
	if r.Body != "" {
		r.BodySealed = s.s.vault.Seal(replyPlace(r.ID), r.Body)
	}
	created := s.s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&r)
	if created.Error != nil || created.RowsAffected > 0 || r.Body == "" {
		return created.RowsAffected > 0, database.Translate(created.Error)
	}
	return false, s.s.q(ctx).Model(&Reply{}).Where("tenant_id = ? AND id = ? AND body_sealed = ''", r.TenantID, r.ID).
		Updates(map[string]any{"body_sealed": r.BodySealed, "picture": r.Picture, "timeline_pending": true}).Error
}

// find runs a query and opens the bodies. One whose key is gone has none.
func (s Replies) find(q *gorm.DB) ([]Reply, error) {
	var out []Reply
	if err := q.Find(&out).Error; err != nil {
		return nil, err
	}
	for i, r := range out {
		if r.BodySealed.Empty() {
			continue
		}
		if body, err := s.s.vault.Open(replyPlace(r.ID), r.BodySealed); err == nil {
			out[i].Body = body
		}
	}
	return out, nil
}

// ByMessages returns what was answered to messages of a batch, oldest first,
// up to limit.
func (s Replies) ByMessages(ctx context.Context, tenantID, batchID string, messageIDs []string, limit int) ([]Reply, error) {
	if len(messageIDs) == 0 {
		return nil, nil
	}
	return s.find(s.s.q(ctx).Where("tenant_id = ? AND batch_id = ? AND message_id IN ?", tenantID, batchID, messageIDs).Order("written_at, id").Limit(limit))
}

// CountOf returns how many answers to a message are stored.
func (s Replies) CountOf(ctx context.Context, tenantID, batchID, messageID string) (n int64, err error) {
	return n, s.s.q(ctx).Model(&Reply{}).Where("tenant_id = ? AND batch_id = ? AND message_id = ?", tenantID, batchID, messageID).Count(&n).Error
}

// ByNumber pages what a person answered, by the keys of the number, newest
// first. before is the moment and the id that the page comes before.
func (s Replies) ByNumber(ctx context.Context, tenantID string, keys []string, before time.Time, beforeID string, limit int) ([]Reply, error) {
	return s.find(s.s.q(ctx).Where("tenant_id = ? AND number_key IN ? AND (written_at, id) < (?, ?)", tenantID, keys, before.UTC(), beforeID).
		Order("written_at DESC, id DESC").Limit(limit))
}

// ReplyCount is how many people of a batch answered, with how many texts.
type ReplyCount struct {
	BatchID string
	People  int64
	Texts   int64
}

// CountByBatch returns the answers to each batch. Batches without any are
// missing.
func (s Replies) CountByBatch(ctx context.Context, tenantID string, batchIDs []string) (map[string]ReplyCount, error) {
	var rows []ReplyCount
	err := s.s.q(ctx).Model(&Reply{}).Select("batch_id, count(DISTINCT message_id) AS people, count(*) AS texts").
		Where("tenant_id = ? AND batch_id IN ?", tenantID, batchIDs).Group("batch_id").Find(&rows).Error
	out := make(map[string]ReplyCount, len(rows))
	for _, r := range rows {
		out[r.BatchID] = r
	}
	return out, err
}

// CountSince counts the answers to a user's texts since a time, up to limit.
func (s Replies) CountSince(ctx context.Context, tenantID, userID string, since time.Time, limit int) (int, error) {
	var n int64
	some := s.s.q(ctx).Model(&Reply{}).Select("1").Where("tenant_id = ? AND user_id = ? AND received_at > ?", tenantID, userID, since.UTC()).Limit(limit)
	err := s.s.q(ctx).Table("(?) AS answers", some).Count(&n).Error
	return int(n), err
}

// Answered pages the ids of a batch's messages that were answered, in the
// order of Messages.List, from after a message on.
func (s Replies) Answered(ctx context.Context, tenantID, batchID, after string, limit int) ([]string, error) {
	var ids []string
	return ids, s.s.q(ctx).Model(&Reply{}).Distinct("message_id").
		Where("tenant_id = ? AND batch_id = ? AND message_id > ?", tenantID, batchID, after).Order("message_id").Limit(limit).Pluck("message_id", &ids).Error
}

// Pending pages the replies that are not in the CRM's timeline yet, oldest
// first. after is the last reply of the page before, the zero Reply for the
// first page.
func (s Replies) Pending(ctx context.Context, tenantID string, after Reply, limit int) ([]Reply, error) {
	return s.find(s.s.q(ctx).Where("tenant_id = ? AND timeline_pending AND (received_at, id) > (?, ?)", tenantID, after.ReceivedAt.UTC(), after.ID).
		Order("received_at, id").Limit(limit))
}

// MarkSynced marks replies as current in the CRM's timeline. One that got its
// body since it was read stays pending.
func (s Replies) MarkSynced(ctx context.Context, tenantID string, replies []Reply) error {
	for _, r := range replies {
		q := s.s.q(ctx).Model(&Reply{}).Where("tenant_id = ? AND id = ? AND body_sealed = ?", tenantID, r.ID, r.BodySealed)
		if err := q.Update("timeline_pending", false).Error; err != nil {
			return err
		}
	}
	return nil
}

// PendingAllTenants returns the ids of the tenants with replies for Pending.
func (s Replies) PendingAllTenants(ctx context.Context) ([]string, error) {
	var out []string
	return out, s.s.q(ctx).Model(&Reply{}).Distinct("tenant_id").Where("timeline_pending").Pluck("tenant_id", &out).Error
}

// erase deletes the replies that match a condition.
func (s Replies) erase(ctx context.Context, tenantID, where string, arg any) error {
	return s.s.q(ctx).Where("tenant_id = ?", tenantID).Where(where, arg).Delete(&Reply{}).Error
}
