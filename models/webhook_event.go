package models

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
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

// WebhookEvent is what Dialpad told us, as far as we need it: never a text.
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

// StoreEvent stores an event once, with its job; a change-log event marks the accounts it names as stale in the same
// transaction. It tells whether the event is new.
func (s *Store) StoreEvent(ctx context.Context, e WebhookEvent) (bool, error) {
	e.ID, e.State, e.ReceivedAt, e.EventAt = NewID(), EventPending, s.Now(), utc(e.EventAt)
	fresh := false
	err := s.Tx(ctx, func(tx *Store) error {
		r := tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&e)
		if r.Error != nil || r.RowsAffected == 0 {
			return r.Error
		}
		fresh = true
		if err := tx.MarkStale(ctx, e.TenantID, e.DialpadUsers); err != nil {
			return err
		}
		if err := tx.eventSeen(ctx, e.TenantID); err != nil {
			return err
		}
		return tx.Enqueue(ctx, ProcessEvent{TenantID: e.TenantID, EventID: e.ID})
	})
	return fresh, err
}

// eventSeen notes once a second that events come. A bulk's events arrive together, and if each wrote the connection's row
// they would wait for one another's commits.
func (s *Store) eventSeen(ctx context.Context, tenantID string) error {
	return s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND (last_event_at IS NULL OR last_event_at < ?)", tenantID, s.Now().Add(-time.Second)).
		Updates(map[string]any{"last_event_at": s.Now()}).Error
}

// Event returns a stored event.
func (s *Store) Event(ctx context.Context, tenantID, id string) (WebhookEvent, error) {
	var e WebhookEvent
	return e, one(s.q(ctx).Take(&e, "tenant_id = ? AND id = ?", tenantID, id).Error)
}

// EventsOf returns the events that settled a message, in the order they came.
func (s *Store) EventsOf(ctx context.Context, tenantID, messageID string) ([]WebhookEvent, error) {
	var out []WebhookEvent
	return out, s.q(ctx).Where("tenant_id = ? AND message_id = ?", tenantID, messageID).Order("received_at, id").Find(&out).Error
}

// CloseEvent notes what became of an event.
func (s *Store) CloseEvent(ctx context.Context, tenantID, id, state, messageID string) error {
	return s.q(ctx).Model(&WebhookEvent{}).Where("tenant_id = ? AND id = ?", tenantID, id).
		Updates(map[string]any{"state": state, "message_id": messageID, "processed_at": s.Now()}).Error
}

// MessageByDialpadID finds the message that Dialpad knows by an id.
func (s *Store) MessageByDialpadID(ctx context.Context, tenantID, dialpadID string) (Message, error) {
	var m Message
	// <> '' is said for the partial index, and because no id is nobody's.
	return m, one(s.q(ctx).Order("id").Take(&m, "tenant_id = ? AND dialpad_id = ? AND dialpad_id <> ''", tenantID, dialpadID).Error)
}

// PairInFlight tells whether a text between two numbers is on the wire: its answer may bring the id an event names.
func (s *Store) PairInFlight(ctx context.Context, tenantID, from, to string) (bool, error) {
	var n int64
	err := s.q(ctx).Model(&Message{}).Where("tenant_id = ? AND from_number = ? AND to_number = ? AND state = 'sending'",
		tenantID, from, to).Count(&n).Error
	return n > 0, err
}

// UncertainOfPair returns the uncertain messages between two numbers that went onto the wire between two times: two at
// most, since two are too many.
func (s *Store) UncertainOfPair(ctx context.Context, tenantID, from, to string, since, until time.Time) ([]Message, error) {
	var out []Message
	return out, s.q(ctx).Where("tenant_id = ? AND from_number = ? AND to_number = ? AND state = 'uncertain' AND claimed_at > ? AND claimed_at <= ? AND dialpad_id = ''",
		tenantID, from, to, since.UTC(), until.UTC()).Order("id").Limit(2).Find(&out).Error
}

// Progress is what an event says of a message.
type Progress struct {
	State, DialpadID, Code, Text, MatchedBy string
	From                                    []string // states it may move on from
}

// AdvanceMessage moves a message forward by an event, with all that follows; false when it was further already.
func (s *Store) AdvanceMessage(ctx context.Context, tenantID, id string, p Progress) (bool, error) {
	var moved []Settled
	err := s.Tx(ctx, func(tx *Store) error {
		set := map[string]any{"state": p.State, "error_code": p.Code, "error_text": p.Text, "untold": true,
			"settled_at": gorm.Expr("coalesce(settled_at, ?)", tx.Now()), "sent_at": gorm.Expr("coalesce(sent_at, claimed_at)")}
		if p.DialpadID != "" {
			set["dialpad_id"] = p.DialpadID
		}
		if p.MatchedBy != "" {
			set["matched_by"] = p.MatchedBy
		}
		r := tx.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id = ? AND state IN ?", tenantID, id, p.From).Updates(set)
		if r.Error != nil || r.RowsAffected == 0 {
			return r.Error
		}
		m, err := tx.Message(ctx, tenantID, "", id)
		if err != nil {
			return err
		}
		moved = []Settled{{ID: id, TenantID: tenantID, BatchID: m.BatchID, CallbackID: m.CallbackID, State: m.State}}
		return tx.complete(ctx, moved)
	})
	if err == nil && len(moved) > 0 {
		err = s.FollowUp(ctx, moved)
	}
	return len(moved) > 0, err
}

// PendingEventsAllTenants returns events that nobody has processed since a time, so that a lost wake-up costs a delay.
func (s *Store) PendingEventsAllTenants(ctx context.Context, before time.Time, limit int) ([]WebhookEvent, error) {
	var out []WebhookEvent
	return out, s.q(ctx).Select("id", "tenant_id").Where("state = 'pending' AND received_at < ?", before.UTC()).
		Order("received_at").Limit(limit).Find(&out).Error
}
