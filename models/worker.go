package models

import (
	"context"
	"time"
)

// Worker is a process that does background work.
type Worker struct {
	ID     string `gorm:"primaryKey"`
	SeenAt time.Time
}

// MarkSeen stores that a worker is alive, and deletes those not seen for
// an hour.
func (s Workers) MarkSeen(ctx context.Context, id string) error {
	if err := s.s.q(ctx).Save(&Worker{ID: id, SeenAt: s.s.db.Now()}).Error; err != nil {
		return err
	}
	return s.s.q(ctx).Where("seen_at < ?", s.s.db.Now().Add(-time.Hour)).Delete(&Worker{}).Error
}

// CountSince returns how many workers were seen since a time.
func (s Workers) CountSince(ctx context.Context, since time.Time) (int, error) {
	var n int64
	err := s.s.q(ctx).Model(&Worker{}).Where("seen_at > ?", since.UTC()).Count(&n).Error
	return int(n), err
}
