package models

import (
	"context"
	"time"
)

// Judge is judge, which a test calls at the moment when somebody else was faster.
func (s *Store) Judge(ctx context.Context, tenantID, id string, due time.Time) error {
	return s.judge(ctx, tenantID, id, due)
}
