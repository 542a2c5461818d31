package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

const (
	// deletedAtOnce is how many rows one statement deletes: others wait for
	// SQLite's only writer meanwhile.
	deletedAtOnce = 1000
	// maxDeleteSteps is how many such statements a sweep runs for a table.
	maxDeleteSteps = 20
	// maxEndedSteps is the same for batches that ended: many have one text.
	maxEndedSteps = 500
)

// expiring is a table whose rows are deleted after a time.
type expiring struct {
	model  any
	key    string
	where  string
	before time.Time
}

// DeleteExpiredAllTenants deletes expired sessions, used launch tokens,
// connect attempts, drafts, answers to the CRM's calls, counts of past hours,
// and events that match no message, in bounded steps. It returns the number of
// deleted rows.
func (s *Store) DeleteExpiredAllTenants(ctx context.Context) (int64, error) {
	now := s.Now()
	dayAgo := now.Add(-24 * time.Hour)
	var deleted int64
	for _, table := range []expiring{
		{&Session{}, "token_hash", "expires_at < ?", now},
		{&UsedToken{}, "(tenant_id, jti)", "expires_at < ?", now.Add(-time.Minute)},
		{&Draft{}, "(tenant_id, user_id, name)", "expires_at < ?", now},
		{&HourlyText{}, "(tenant_id, user_id, class, hour)", "hour < ?", dayAgo},
		{&CallAnswer{}, "webhook_id", "created_at < ?", now.Add(-callAnswerLifetime)},
		{&ConnectAttempt{}, "id", "created_at < ? AND grant_sealed = ''", dayAgo},
	} {
		n, err := inSteps(func() (int64, error) { return s.deleteExpired(ctx, table) })
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	events, err := inSteps(func() (int64, error) { return s.Events.DeleteUnmatchedAllTenants(ctx, dayAgo, deletedAtOnce) })
	return deleted + events, err
}

func (s *Store) deleteExpired(ctx context.Context, t expiring) (int64, error) {
	expired := func() *gorm.DB { return s.q(ctx).Model(t.model).Where(t.where, t.before) }
	columns := t.key
	if columns[0] == '(' {
		columns = columns[1 : len(columns)-1]
	}
	r := expired().Where(t.key+" IN (?)", expired().Select(columns).Limit(deletedAtOnce)).Delete(t.model)
	return r.RowsAffected, r.Error
}

// inSteps deletes until a step deletes less than it may, or there were many.
func inSteps(step func() (int64, error)) (deleted int64, err error) {
	for range maxDeleteSteps {
		n, err := step()
		deleted += n
		if err != nil || n < deletedAtOnce {
			return deleted, err
		}
	}
	return deleted, nil
}

// DeleteEndedAllTenants deletes the batches that ended before a time, with their
// messages, in bounded steps; see the ledger's. It returns the number of deleted
// rows; after many it leaves the rest to the next sweep.
func (s *Store) DeleteEndedAllTenants(ctx context.Context, before time.Time) (deleted int, err error) {
	for range maxEndedSteps {
		n, err := s.Retention.EndedAllTenants(ctx, before, deletedAtOnce)
		deleted += n
		if err != nil || n == 0 || deleted >= maxDeleteSteps*deletedAtOnce {
			return deleted, err
		}
	}
	return deleted, nil
}
