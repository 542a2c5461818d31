package models

import (
	"context"
	"time"
)

// Begin reports whether a round of this name may begin, and notes that it has:
// no process of the fleet has begun one within the interval. It goes by the
// clock that leases go by.
func (s Rounds) Begin(ctx context.Context, name string, interval time.Duration) (bool, error) {
	const statement = `INSERT INTO rounds (name, started_at) VALUES (@name, `
	const unless = `) ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at
		WHERE rounds.started_at > excluded.started_at OR rounds.started_at <= `
	now := s.s.db.Now()
	args := map[string]any{"name": name, "now": now, "before": now.Add(-interval), "seconds": interval.Seconds()}
	text := statement + "@now" + unless + "@before"
	if s.s.db.LeasesByItsClock() {
		text = statement + "statement_timestamp()" + unless + "excluded.started_at - @seconds * interval '1 second'"
	}
	r := s.s.q(ctx).Exec(text, args)
	return r.RowsAffected > 0, r.Error
}
