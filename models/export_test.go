package models

import (
	"context"
	"errors"
	"time"
)

// Judge is judge, which a test calls at the moment when somebody else was faster.
func (s *Store) Judge(ctx context.Context, tenantID, id string, due time.Time) error {
	return s.judge(ctx, tenantID, id, due)
}

// MigrateTo is Migrate up or down to a version of ours.
func (s *Store) MigrateTo(ctx context.Context, version int64) error {
	p, err := s.goose()
	if err != nil {
		return err
	}
	if v, err := p.GetDBVersion(ctx); err != nil || v > version {
		_, downErr := p.DownTo(ctx, version)
		return errors.Join(err, downErr)
	}
	_, err = p.UpTo(ctx, version)
	return err
}

// SetClass makes a text one of another class.
func (s *Store) SetClass(id string, class int) error {
	return s.db.Exec("UPDATE messages SET class = ? WHERE id = ?", class, id).Error
}
