package ledger

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Kinds and states of a webhook event.
const (
	EventSMS       = "sms"
	EventChangeLog = "changelog"
	EventUnknown   = "unknown"

	EventPending   = "pending"
	EventApplied   = "applied"   // it named or matched a message of ours
	EventUnmatched = "unmatched" // it matched nothing; goes after 24 h
)

// WebhookEvent is what we need of an event from Dialpad: never its text.
type WebhookEvent struct {
	ID           string `gorm:"primaryKey"`
	TenantID     string
	Kind         string
	BodyHash     string // the same body again does nothing
	DialpadID    string
	Direction    string
	FromNumber   string
	ToNumber     string
	Status       string // raw, Dialpad's word
	Result       string // raw message_delivery_result
	DeviceType   string
	OptWord      string   // "stop" or "start" when an inbound text said so
	DialpadUsers []string `gorm:"serializer:json"`
	State        string
	MessageID    string
	EventAt      *time.Time
	ReceivedAt   time.Time
	ProcessedAt  *time.Time
}

// Add stores an event once, and tells whether it is new.
func (s Events) Add(ctx context.Context, e WebhookEvent) (bool, error) {
	r := s.l.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&e)
	return r.RowsAffected > 0, r.Error
}

// DeleteUnmatchedAllTenants deletes events received before a time that
// belong to no message of ours, and returns how many. A company-wide
// subscription also carries the numbers of people's private texts.
func (s Events) DeleteUnmatchedAllTenants(ctx context.Context, before time.Time) (int64, error) {
	r := s.l.q(ctx).Where("received_at < ? AND message_id = ''", before.UTC()).Delete(&WebhookEvent{})
	return r.RowsAffected, r.Error
}

// Get returns a stored event.
func (s Events) Get(ctx context.Context, tenantID, id string) (WebhookEvent, error) {
	var e WebhookEvent
	return e, database.Translate(s.l.q(ctx).Take(&e, "tenant_id = ? AND id = ?", tenantID, id).Error)
}

// ByMessage returns the events of a message in the order they came.
func (s Events) ByMessage(ctx context.Context, tenantID, messageID string) ([]WebhookEvent, error) {
	var out []WebhookEvent
	return out, s.l.q(ctx).Where("tenant_id = ? AND message_id = ?", tenantID, messageID).Order("received_at, id").Find(&out).Error
}

// Close stores what became of an event.
func (s Events) Close(ctx context.Context, tenantID, id, state, messageID string) error {
	return s.l.q(ctx).Model(&WebhookEvent{}).Where("tenant_id = ? AND id = ?", tenantID, id).
		Updates(map[string]any{"state": state, "message_id": messageID, "processed_at": s.l.db.Now()}).Error
}

// PendingAllTenants returns events that have not been processed since a
// time: a lost job costs a delay.
func (s Events) PendingAllTenants(ctx context.Context, before time.Time, limit int) ([]WebhookEvent, error) {
	var out []WebhookEvent
	return out, s.l.q(ctx).Select("id", "tenant_id").Where("state = 'pending' AND received_at < ?", before.UTC()).
		Order("received_at").Limit(limit).Find(&out).Error
}
