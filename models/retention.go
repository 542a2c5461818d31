package models

import (
	"context"
	"time"
)

// DeleteExpiredAllTenants deletes sessions, used launch tokens, connect attempts
// and answers to the CRM's calls that are over, and events that belong to no
// message of ours. It returns how many rows.
func (s *Store) DeleteExpiredAllTenants(ctx context.Context) (int64, error) {
	now := s.Now()
	dayAgo := now.Add(-24 * time.Hour)
	var n int64
	for _, d := range []struct {
		model  any
		where  string
		before time.Time
	}{
		{&Session{}, "expires_at < ?", now},
		{&UsedToken{}, "expires_at < ?", now.Add(-time.Minute)},
		{&CallAnswer{}, "created_at < ?", dayAgo},
		{&ConnectAttempt{}, "created_at < ? AND grant_sealed = ''", dayAgo},
	} {
		r := s.q(ctx).Where(d.where, d.before).Delete(d.model)
		if r.Error != nil {
			return n, r.Error
		}
		n += r.RowsAffected
	}
	events, err := s.Events.DeleteUnmatchedAllTenants(ctx, dayAgo)
	return n + events, err
}
