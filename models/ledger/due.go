package ledger

import (
	"context"
	"time"
)

// QueueDue queues up to n waiting messages of a lane whose time has come.
// It returns how many, and when the next one is due.
func (s Lanes) QueueDue(ctx context.Context, l Lane, n int) (queued int, next *time.Time, err error) {
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		due, err := tx.Lanes.due(ctx, l, n)
		if err != nil {
			return err
		}
		queued = len(due)
		now, err := tx.Lanes.Get(ctx, l.TenantID, l.ID) // its turns went on since it was leased
		if err != nil {
			return err
		}
		if err := tx.Lanes.queue(ctx, now, due); err != nil {
			return err
		}
		next, err = tx.Lanes.nextDue(ctx, l)
		return err
	})
	return queued, next, err
}

// due returns waiting messages whose time has come, also those that are
// too late by their batch's rule: such a batch is stopped, so they are
// not claimed.
func (s Lanes) due(ctx context.Context, l Lane, n int) ([]Message, error) {
	var due []Message
	now := s.l.db.Now()
	err := s.l.q(ctx).Select("id", "class", "sender_id", "batch_id", "turn", "due_at").
		Where("lane_id = ? AND tenant_id = ? AND state = 'waiting' AND due_at <= ?", l.ID, l.TenantID, now).
		Order("due_at, id").Limit(n).Find(&due).Error
	if err == nil && len(due) > 0 && now.Sub(*due[0].DueAt) > overdueAfter {
		err = s.stopOverdueWaiting(ctx, l)
	}
	return due, err
}

func (s Lanes) nextDue(ctx context.Context, l Lane) (*time.Time, error) {
	var first []Message
	err := s.l.q(ctx).Select("due_at").Where("lane_id = ? AND tenant_id = ? AND state = 'waiting'", l.ID, l.TenantID).
		Order("due_at").Limit(1).Find(&first).Error
	if len(first) == 1 {
		return first[0].DueAt, err
	}
	return nil, err
}
