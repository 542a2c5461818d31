package ledger

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models/database"
)

// overdueAfter is how long after its due time a message is checked by
// the late rule. Even a busy lane queues due messages within seconds.
const overdueAfter = time.Minute

// IsLate reports whether a message of the batch that was due at due is
// later than the batch's late rule allows.
func (b Batch) IsLate(due, now time.Time) bool {
	return b.SendAt != nil && b.LateDo != LateSend && now.Sub(due) > time.Duration(b.LateMinutes)*time.Minute
}

// LateStop returns the columns that stop a batch by its late rule:
// held until a person decides, or cancelled.
func (b Batch) LateStop(now time.Time) map[string]any {
	reason := "The time passed while texts could not be sent (" + b.LocalTime + ", " + b.TimeZone + ")"
	if b.LateDo == LateDrop {
		return map[string]any{"state": BatchCancelled, "held_reason": reason, "held_code": HeldLate, "finished_at": now.UTC(),
			"history": Happened(Moment{At: now, What: MomentCancelled, Reason: reason})}
	}
	return map[string]any{"state": BatchHeld, "held_reason": reason, "held_code": HeldLate, "held_at": now.UTC(),
		"history": Happened(Moment{At: now, What: MomentHeld, Reason: reason})}
}

// lateRule stops the batches whose messages are too late.
type lateRule struct{ l *Ledger }

// stopOverdueWaiting applies the late rule to batches of a lane with
// overdue waiting messages: no worker ran, or a backup was restored.
func (r lateRule) stopOverdueWaiting(ctx context.Context, l Lane) error {
	var ids []string
	err := r.l.query(ctx, "overdue_waiting", map[string]any{"lane": l.ID, "tenant": l.TenantID,
		"before": r.l.db.Now().Add(-overdueAfter)}, &ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var m Message
		err := r.firstBy(ctx, "due_at", l.TenantID, id, Waiting, &m)
		if errors.Is(err, database.ErrNotFound) {
			continue // cancelled meanwhile
		}
		if err != nil {
			return err
		}
		if err := r.apply(ctx, l.TenantID, id, *m.DueAt); err != nil {
			return err
		}
	}
	return nil
}

// stopOverdueQueued applies the late rule to batches with messages
// that were queued in lanes from which nothing was sent since. A long
// bulk may be queued for hours without being late, but then its lane
// sends.
func (r lateRule) stopOverdueQueued(ctx context.Context, lanes []Lane) (unchecked map[string]bool, err error) {
	now, idle := r.l.db.Now(), map[string]Lane{}
	var ids []string
	for _, l := range lanes {
		if l.SlotAt == nil || now.Sub(*l.SlotAt) > overdueAfter {
			idle[l.ID], ids = l, append(ids, l.ID)
		}
	}
	if len(idle) == 0 {
		return nil, nil
	}
	var overdue []struct{ LaneID, BatchID string }
	err = r.l.query(ctx, "overdue_queued", map[string]any{"lanes": database.JSON(ids), "before": now.Add(-overdueAfter)}, &overdue)
	if err != nil {
		return setOf(ids), err
	}
	unchecked = map[string]bool{}
	for _, b := range overdue {
		if stopErr := r.stopQueuedIfLate(ctx, idle[b.LaneID], b.BatchID); stopErr != nil {
			unchecked[b.LaneID], err = true, errors.Join(err, stopErr)
		}
	}
	return unchecked, err
}

// stopQueuedIfLate applies the late rule to a batch with queued
// messages in an idle lane. They are due since the first was queued or
// the lane last sent, whichever is later.
func (r lateRule) stopQueuedIfLate(ctx context.Context, l Lane, batchID string) error {
	var m Message
	err := r.firstBy(ctx, "updated_at", l.TenantID, batchID, Queued, &m)
	if errors.Is(err, database.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	due := m.UpdatedAt
	if l.SlotAt != nil && l.SlotAt.After(due) {
		due = *l.SlotAt
	}
	return r.apply(ctx, l.TenantID, batchID, due)
}

// firstBy reads a column of a batch's first message by that column.
func (r lateRule) firstBy(ctx context.Context, column, tenantID, batchID, state string, m *Message) error {
	return database.Translate(r.l.q(ctx).Select(column).Where("tenant_id = ? AND batch_id = ? AND state = ?", tenantID, batchID, state).
		Order(column).Take(m).Error)
}

// apply stops a batch whose message was due at due, if its
// late rule says so. It is no error when the batch was paused or
// cancelled meanwhile: the lane must go on with its other messages.
func (r lateRule) apply(ctx context.Context, tenantID, id string, due time.Time) error {
	var b Batch
	err := database.Translate(withoutLists(r.l.q(ctx)).Take(&b, "tenant_id = ? AND id = ?", tenantID, id).Error)
	if err != nil || !b.IsLate(due, r.l.db.Now()) {
		return err
	}
	err = r.l.Tx(ctx, func(tx *Ledger) error {
		if err := tx.Batches.Update(ctx, tenantID, id, []string{BatchPreparing, BatchSending}, b.LateStop(tx.db.Now())); err != nil {
			return err
		}
		return tx.Batches.enqueueApplyState(ctx, tenantID, []string{id})
	})
	if errors.Is(err, database.ErrLost) {
		return nil
	}
	return err
}
