package ledger

import (
	"context"
	"slices"
	"time"

	"dialpad-texting/models/database"
)

// minuteCountsAge is how long counts by the minute are kept.
const minuteCountsAge = 3 * time.Hour

// FoldAllTenants adds up to about n changes of the counts of messages to
// the counts themselves, and returns how many. Readers add what is not folded
// yet, so that only their cost depends on it; the filters by failed and unknown
// texts know of a change once it is folded.
func (s Counters) FoldAllTenants(ctx context.Context, n int) (folded int, err error) {
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		folded = 0 // of a try that was repeated
		var taken []struct {
			TenantID, BatchID, State string
			Minute, N                int64
		}
		if err := tx.query(ctx, "take_count_changes", map[string]any{"n": n}, &taken); err != nil || len(taken) == 0 {
			return err
		}
		folded = len(taken)
		changes := countChanges{}
		for _, c := range taken {
			changes.add(countKey{c.TenantID, c.BatchID, c.Minute, c.State}, c.N)
		}
		return tx.Counters.fold(ctx, changes)
	})
	return folded, err
}

// HasChangesAllTenants reports whether there is something to fold.
func (s Counters) HasChangesAllTenants(ctx context.Context) (bool, error) {
	var n int64
	err := s.l.q(ctx).Raw("SELECT count(*) FROM (SELECT 1 FROM count_changes LIMIT 1) AS first").Scan(&n).Error
	return n > 0, err
}

// fold adds changes to the counts.
func (s Counters) fold(ctx context.Context, taken countChanges) error {
	batches, minutes, flagged := countChanges{}, countChanges{}, map[string]bool{}
	for c, n := range taken {
		batches.add(countKey{TenantID: c.TenantID, BatchID: c.BatchID, State: c.State}, n)
		switch c.State {
		case openState:
			batches.add(countKey{TenantID: c.TenantID, State: openState}, n)
		case Failed, Undelivered, Uncertain:
			flagged[c.BatchID] = true
		}
		if c.Minute != 0 {
			minutes.add(countKey{TenantID: c.TenantID, Minute: c.Minute, State: c.State}, n)
		}
	}
	if err := s.add(ctx, "fold_batch_counts", batches); err != nil {
		return err
	}
	if err := s.add(ctx, "fold_minute_counts", minutes); err != nil {
		return err
	}
	old := s.l.db.Now().Add(-minuteCountsAge)
	if err := s.l.q(ctx).Exec("DELETE FROM minute_counts WHERE minute < ?", minuteOf(&old)).Error; err != nil {
		return err
	}
	return s.flagBatches(ctx, flagged)
}

func (s Counters) add(ctx context.Context, statement string, changes countChanges) error {
	rows := changes.rows()
	if len(rows) == 0 {
		return nil
	}
	return s.l.exec(ctx, statement, map[string]any{"counts": database.JSON(rows)})
}

func (s Counters) flagBatches(ctx context.Context, ids map[string]bool) error {
	if len(ids) == 0 {
		return nil
	}
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	slices.Sort(list)
	return s.l.exec(ctx, "flag_batches", map[string]any{"ids": database.JSON(list)})
}
