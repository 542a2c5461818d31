package models

import (
	"context"
	"time"
)

// UntoldMessages returns messages whose last change the CRM's timeline has not heard of, oldest change first, from after
// one of them on; the zero Message: from the first.
func (s *Store) UntoldMessages(ctx context.Context, tenantID string, after Message, limit int) ([]Message, error) {
	var out []Message
	return out, s.q(ctx).Where("tenant_id = ? AND untold AND state <> ? AND (updated_at, id) > (?, ?)", tenantID, Skipped, after.UpdatedAt.UTC(), after.ID).
		Order("updated_at, id").Limit(limit).Find(&out).Error
}

// Told notes that the CRM heard of a message's state, unless it changed meanwhile.
func (s *Store) Told(ctx context.Context, m Message) error {
	return s.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id = ? AND updated_at = ?", m.TenantID, m.ID, m.UpdatedAt.UTC()).
		UpdateColumn("untold", false).Error
}

// UntoldTenantsAllTenants returns tenants that have something to tell.
func (s *Store) UntoldTenantsAllTenants(ctx context.Context) ([]string, error) {
	var out []string
	return out, s.q(ctx).Model(&Message{}).Distinct("tenant_id").Where("untold").Pluck("tenant_id", &out).Error
}

// AttemptRow is an attempt that was taken back to the queue.
type AttemptRow struct {
	MessageID  string `gorm:"primaryKey"`
	TenantID   string
	Attempt    int `gorm:"primaryKey"`
	ClaimedAt  *time.Time
	AnsweredAt *time.Time
	Outcome    string
	ErrorCode  string
	ErrorText  string
}

// TableName implements gorm's Tabler.
func (AttemptRow) TableName() string { return "attempts" }

// Attempts returns the earlier attempts of a message.
func (s *Store) Attempts(ctx context.Context, tenantID, messageID string) ([]AttemptRow, error) {
	var out []AttemptRow
	return out, s.q(ctx).Where("tenant_id = ? AND message_id = ?", tenantID, messageID).Order("attempt").Find(&out).Error
}
