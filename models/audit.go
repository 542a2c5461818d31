package models

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// Audit is one entry of a tenant's audit log. It holds no phone number
// and no text.
type Audit struct {
	ID        string `gorm:"primaryKey"`
	TenantID  string
	UserID    string // CRM user, "" for none
	Action    string
	Detail    map[string]string `gorm:"serializer:json"`
	CreatedAt time.Time
}

// Add writes an entry.
func (s Audits) Add(ctx context.Context, tenantID, userID, action string, detail map[string]string) error {
	return s.s.q(ctx).Create(&Audit{ID: database.NewID(), TenantID: tenantID, UserID: userID, Action: action, Detail: detail,
		CreatedAt: s.s.db.Now()}).Error
}

// AuditFilter limits a list to the entries of some users or actions; both empty is
// all.
type AuditFilter struct{ UserIDs, Actions []string }

// List returns a tenant's entries, newest first.
func (s Audits) List(ctx context.Context, tenantID string, limit int) ([]Audit, error) {
	return s.Page(ctx, tenantID, AuditFilter{}, "", limit)
}

// Page returns a tenant's entries before the one with an id, newest first; "" begins
// with the newest.
func (s Audits) Page(ctx context.Context, tenantID string, f AuditFilter, before string, limit int) ([]Audit, error) {
	q := s.s.q(ctx).Where("tenant_id = ?", tenantID)
	if before != "" {
		q = q.Where("id < ?", before)
	}
	if len(f.UserIDs)+len(f.Actions) > 0 {
		q = q.Where("user_id IN ? OR action IN ?", f.UserIDs, f.Actions)
	}
	var out []Audit
	return out, q.Order("id DESC").Limit(limit).Find(&out).Error
}

// DeleteOldAllTenants deletes up to n entries that were written before a time, and
// returns how many.
func (s Audits) DeleteOldAllTenants(ctx context.Context, before time.Time, n int) (int64, error) {
	oldest := s.s.q(ctx).Model(&Audit{}).Select("id").Where("created_at < ?", before.UTC()).Order("created_at").Limit(n)
	r := s.s.q(ctx).Where("id IN (?)", oldest).Delete(&Audit{})
	return r.RowsAffected, r.Error
}
