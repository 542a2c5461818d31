package models

import (
	"context"
	"time"
)

// DeleteExpiredAllTenants deletes expired sessions, used launch tokens,
// connect attempts, drafts, answers to the CRM's calls, counts of past hours, and
// events that match no message. It returns the number of deleted rows.
func (s *Store) DeleteExpiredAllTenants(ctx context.Context) (int64, error) {
	now := s.Now()
	dayAgo := now.Add(-24 * time.Hour)
	var deleted int64
	for _, table := range []struct {
		model  any
		where  string
		before time.Time
	}{
		{&Session{}, "expires_at < ?", now},
		{&UsedToken{}, "expires_at < ?", now.Add(-time.Minute)},
		{&Draft{}, "expires_at < ?", now},
		{&HourlyText{}, "hour < ?", dayAgo},
		{&CallAnswer{}, "created_at < ?", now.Add(-callAnswerLifetime)},
		{&ConnectAttempt{}, "created_at < ? AND grant_sealed = ''", dayAgo},
	} {
		r := s.q(ctx).Where(table.where, table.before).Delete(table.model)
		if r.Error != nil {
			return deleted, r.Error
		}
		deleted += r.RowsAffected
	}
	events, err := s.Events.DeleteUnmatchedAllTenants(ctx, dayAgo)
	return deleted + events, err
}
