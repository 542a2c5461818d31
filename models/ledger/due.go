package ledger

import (
	"context"
	"time"
)

// QueueDue queues up to n waiting messages of a lane that are due. It
// returns how many, and when the next message is due, nil when none
// waits.
func (s Lanes) QueueDue(ctx context.Context, l Lane, n int) (queued int, next *time.Time, err error) {
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		due, err := tx.Lanes.due(ctx, l, n)
		if err != nil {
			return err
		}
		queued = len(due)
		current, err := tx.Lanes.Get(ctx, l.TenantID, l.ID) // the turns of l are those of its lease
		if err != nil {
			return err
		}
		if err := tx.Lanes.queue(ctx, current, due); err != nil {
			return err
		}
		next, err = tx.Lanes.nextDue(ctx, l)
		return err
	})
	return queued, next, err
}

// due returns waiting messages that are due. If some are overdue, it
// applies the late rule to their batches: messages of a batch that it
// stops are returned too, but can't be claimed.
func (s Lanes) due(ctx context.Context, l Lane, n int) ([]Message, error) {
	var due []Message
	now := s.l.db.Now()
	err := s.l.q(ctx).Select("id", "class", "sender_id", "batch_id", "turn", "due_at").
		Where("lane_id = ? AND tenant_id = ? AND state = 'waiting' AND due_at <= ?", l.ID, l.TenantID, now).
		Order("due_at, id").Limit(n).Find(&due).Error
	if err == nil && len(due) > 0 && now.Sub(*due[0].DueAt) > overdueAfter {
		err = lateRule{s.l}.stopOverdueWaiting(ctx, l)
	}
	return due, err
}

// nextDue returns when the next message is due, nil when none waits.
func (s Lanes) nextDue(ctx context.Context, l Lane) (*time.Time, error) {
	var first []Message
	err := s.l.q(ctx).Select("due_at").Where("lane_id = ? AND tenant_id = ? AND state = 'waiting'", l.ID, l.TenantID).
		Order("due_at").Limit(1).Find(&first).Error
	if len(first) == 1 {
		return first[0].DueAt, err
	}
	return nil, err
}
