package models

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// Audit is one thing that somebody did or that happened to a tenant: who, what, when. No numbers, no texts.
type Audit struct {
	ID        string `gorm:"primaryKey"`
	TenantID  string
	UserID    string // "" when it was no person
	Action    string
	Detail    map[string]string `gorm:"serializer:json"`
	CreatedAt time.Time
}

// Audit writes an entry.
func (s Audits) Add(ctx context.Context, tenantID, userID, action string, detail map[string]string) error {
	return s.s.q(ctx).Create(&Audit{ID: database.NewID(), TenantID: tenantID, UserID: userID, Action: action, Detail: detail,
		CreatedAt: s.s.db.Now()}).Error
}

// Audits returns a tenant's newest entries.
func (s Audits) List(ctx context.Context, tenantID string, limit int) ([]Audit, error) {
	var out []Audit
	return out, s.s.q(ctx).Where("tenant_id = ?", tenantID).Order("created_at DESC, id DESC").Limit(limit).Find(&out).Error
}
