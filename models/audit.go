package models

import (
	"context"
	"time"
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
func (s *Store) Audit(ctx context.Context, tenantID, userID, action string, detail map[string]string) error {
	return s.q(ctx).Create(&Audit{ID: NewID(), TenantID: tenantID, UserID: userID, Action: action, Detail: detail,
		CreatedAt: s.Now()}).Error
}

// Audits returns a tenant's newest entries.
func (s *Store) Audits(ctx context.Context, tenantID string, limit int) ([]Audit, error) {
	var out []Audit
	return out, s.q(ctx).Where("tenant_id = ?", tenantID).Order("created_at DESC, id DESC").Limit(limit).Find(&out).Error
}

// Worker is a process that does background work, as /readyz wants to see one.
type Worker struct {
	ID     string `gorm:"primaryKey"`
	SeenAt time.Time
}

// WorkerSeen notes that a worker lives, and forgets those long gone.
func (s *Store) WorkerSeen(ctx context.Context, id string) error {
	if err := s.q(ctx).Save(&Worker{ID: id, SeenAt: s.Now()}).Error; err != nil {
		return err
	}
	return s.q(ctx).Where("seen_at < ?", s.Now().Add(-time.Hour)).Delete(&Worker{}).Error
}

// AnyWorkerSince tells whether a worker was seen since a time.
func (s *Store) AnyWorkerSince(ctx context.Context, since time.Time) (bool, error) {
	var n int64
	err := s.q(ctx).Model(&Worker{}).Where("seen_at > ?", since.UTC()).Count(&n).Error
	return n > 0, err
}
