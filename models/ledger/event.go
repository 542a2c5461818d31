package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
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
	EventApplied   = "applied"   // belongs to a message
	EventUnmatched = "unmatched" // belongs to no message; deleted after 24 h
)

// WebhookEvent is an event from Dialpad without the text of the SMS.
type WebhookEvent struct {
	ID           string `gorm:"primaryKey"`
	TenantID     string
	Kind         string
	BodyHash     string
	DialpadID    string
	Direction    string
	FromNumber   string
	ToNumber     string
	Status       string // as Dialpad sent it
	Result       string // message_delivery_result as Dialpad sent it
	DeviceType   string
	OptWord      string   // "stop" or "start" if an inbound SMS opted out or in
	DialpadUsers []string `gorm:"serializer:json"`
	State        string
	MessageID    string
	EventAt      *time.Time
	ReceivedAt   time.Time
	ProcessedAt  *time.Time
}

// EventID returns the id of an event: a hash of its tenant and body, so that
// a body that comes again has the id of the first.
func EventID(tenantID, bodyHash string) string {
	sum := sha256.Sum256([]byte(tenantID + "\x00" + bodyHash))
	return hex.EncodeToString(sum[:16])
}

// IsDelivery reports whether the event is about an outbound text that
// Dialpad names: such events are stored and applied together.
func (e WebhookEvent) IsDelivery() bool {
	return e.Kind == EventSMS && strings.EqualFold(e.Direction, "outbound") && e.DialpadID != ""
}

// Add stores an event, whose ID is its EventID, once, and reports whether
// it is new.
func (s Events) Add(ctx context.Context, e WebhookEvent) (bool, error) {
	r := s.l.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&e)
	return r.RowsAffected > 0, r.Error
}

// Get returns a stored event, or ErrNotFound. IS TRUE leaves Postgres no index
// but the key's: in a fresh database it would read all of the tenant's events.
func (s Events) Get(ctx context.Context, tenantID, id string) (WebhookEvent, error) {
	var e WebhookEvent
	return e, database.Translate(s.l.q(ctx).Take(&e, "id = ? AND (tenant_id = ?) IS TRUE", id, tenantID).Error)
}

// ByMessage returns the events of a message in the order of arrival.
func (s Events) ByMessage(ctx context.Context, tenantID, messageID string) ([]WebhookEvent, error) {
	var out []WebhookEvent
	return out, s.l.q(ctx).Where("tenant_id = ? AND message_id = ? AND message_id <> ''", tenantID, messageID).Order("received_at, id").Find(&out).Error
}

// Close stores the final state of an event and the message it belongs
// to, "" for none.
func (s Events) Close(ctx context.Context, e WebhookEvent, state, messageID string) error {
	return s.l.q(ctx).Model(&WebhookEvent{}).Where("tenant_id = ? AND id = ?", e.TenantID, e.ID).
		Updates(map[string]any{"state": state, "message_id": messageID, "processed_at": s.l.db.Now()}).Error
}

// PendingAllTenants returns pending events, received before a time: their
// jobs were lost. Each tenant's oldest comes before any tenant's second.
// Only ID and TenantID are set.
func (s Events) PendingAllTenants(ctx context.Context, before time.Time, limit int) ([]WebhookEvent, error) {
	var out []WebhookEvent
	return out, s.l.q(ctx).Select("id", "tenant_id").Where("state = 'pending' AND received_at < ?", before.UTC()).
		Order("row_number() OVER (PARTITION BY tenant_id ORDER BY received_at, id), received_at, id").Limit(limit).Find(&out).Error
}
