package models

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm/clause"
)

// Callback states.
const (
	CallbackAccepted  = "accepted"  // answered, not yet a message
	CallbackSending   = "sending"   // its message is on its way
	CallbackEnding    = "ending"    // its end is known, the CRM has not heard
	CallbackCompleted = "completed" // the CRM has heard
)

// Callback is one call of the automation action: the text it asks for, and what the CRM was told.
type Callback struct {
	TenantID    string `gorm:"primaryKey"`
	CallbackID  string `gorm:"primaryKey"`
	MessageID   string // given at once, so that the same call has the same answer for ever
	BatchID     string
	WorkflowID  string
	Request     json.RawMessage `gorm:"serializer:json"`
	State       string
	Port        string
	Severity    string
	ErrorCode   string
	ErrorText   string
	CreatedAt   time.Time
	CompletedAt *time.Time
}

// AcceptCallback stores a call once, with its job, and returns the one that counts.
func (s *Store) AcceptCallback(ctx context.Context, c Callback) (out Callback, created bool, err error) {
	c.State = CallbackAccepted
	err = s.Tx(ctx, func(tx *Store) error {
		r := tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&c)
		if r.Error != nil {
			return r.Error
		}
		if created = r.RowsAffected == 1; created {
			out = c
			return tx.Enqueue(ctx, ExecuteCallback{TenantID: c.TenantID, CallbackID: c.CallbackID})
		}
		out, err = tx.Callback(ctx, c.TenantID, c.CallbackID)
		return err
	})
	return out, created, err
}

// Callback returns a stored call.
func (s *Store) Callback(ctx context.Context, tenantID, callbackID string) (Callback, error) {
	var c Callback
	return c, one(s.q(ctx).Take(&c, "tenant_id = ? AND callback_id = ?", tenantID, callbackID).Error)
}

// UpdateCallback changes a call that is in one of the given states; ErrLost when it no longer is.
func (s *Store) UpdateCallback(ctx context.Context, tenantID, callbackID string, from []string, set map[string]any) error {
	return changed(s.q(ctx).Model(&Callback{}).Where("tenant_id = ? AND callback_id = ? AND state IN ?", tenantID, callbackID, from).Updates(set))
}

// OpenCallbacksAllTenants returns calls of a state that have stood still since a time, so that a lost wake-up costs a
// delay and no answer.
func (s *Store) OpenCallbacksAllTenants(ctx context.Context, states []string, before time.Time, limit int) ([]Callback, error) {
	var out []Callback
	return out, s.q(ctx).Where("state IN ? AND created_at < ?", states, before.UTC()).Order("created_at").Limit(limit).Find(&out).Error
}
