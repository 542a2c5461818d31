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

// List returns a tenant's entries, newest first.
func (s Audits) List(ctx context.Context, tenantID string, limit int) ([]Audit, error) {
	var out []Audit
	return out, s.s.q(ctx).Where("tenant_id = ?", tenantID).Order("created_at DESC, id DESC").Limit(limit).Find(&out).Error
}
