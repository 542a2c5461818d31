package ledger

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models/database"
)

// overdueAfter is how far in the past a due moment must be before the late rule
// is checked: a busy lane queues its texts within seconds.
const overdueAfter = time.Minute

// IsLate tells whether a due moment of the batch has passed by more than its
// late rule allows.
func (b Batch) IsLate(due, now time.Time) bool {
	return b.SendAt != nil && b.LateDo != LateSend && now.Sub(due) > time.Duration(b.LateMinutes)*time.Minute
}

// StoppedLate returns the columns of a batch that is too late: held for its
// sender to decide, or cancelled.
func (b Batch) StoppedLate(now time.Time) map[string]any {
	reason := "The time passed while texts could not be sent (" + b.LocalTime + ", " + b.TimeZone + ")"
	if b.LateDo == LateDrop {
		return map[string]any{"state": BatchCancelled, "held_reason": reason, "held_code": HeldLate, "finished_at": now.UTC()}
	}
	return map[string]any{"state": BatchHeld, "held_reason": reason, "held_code": HeldLate, "held_at": now.UTC()}
}

// stopOverdueWaiting applies the late rule to batches of a lane whose texts
// waited past their time: no worker ran, or a backup was restored.
func (s Lanes) stopOverdueWaiting(ctx context.Context, l Lane) error {
	var ids []string
	err := s.l.query(ctx, "overdue_waiting", map[string]any{"lane": l.ID, "tenant": l.TenantID,
		"before": s.l.db.Now().Add(-overdueAfter)}, &ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var m Message
		err := s.firstOf(ctx, l.TenantID, id, Waiting, "due_at", &m)
		if errors.Is(err, database.ErrNotFound) {
			continue // cancelled meanwhile
		}
		if err != nil {
			return err
		}
		if err := s.l.Batches.applyLateRule(ctx, l.TenantID, id, *m.DueAt); err != nil {
			return err
		}
	}
	return nil
}

// stopOverdueQueued applies it to texts that lie in the queue of lanes which
// nobody served since. A long bulk waits for its turns for hours and is not
// late, but then its lane moves.
func (s Lanes) stopOverdueQueued(ctx context.Context, lanes []Lane) error {
	now, idle := s.l.db.Now(), map[string]Lane{}
	var ids []string
	for _, l := range lanes {
		if l.SlotAt == nil || now.Sub(*l.SlotAt) > overdueAfter {
			idle[l.ID], ids = l, append(ids, l.ID)
		}
	}
	if len(idle) == 0 {
		return nil
	}
	var overdue []struct{ LaneID, BatchID string }
	err := s.l.query(ctx, "overdue_queued", map[string]any{"lanes": database.JSON(ids), "before": now.Add(-overdueAfter)}, &overdue)
	if err != nil {
		return err
	}
	for _, b := range overdue {
		var m Message
		l := idle[b.LaneID]
		err := s.firstOf(ctx, l.TenantID, b.BatchID, Queued, "updated_at", &m)
		if errors.Is(err, database.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if l.SlotAt != nil && l.SlotAt.After(m.UpdatedAt) {
			m.UpdatedAt = *l.SlotAt
		}
		if err := s.l.Batches.applyLateRule(ctx, l.TenantID, b.BatchID, m.UpdatedAt); err != nil {
			return err
		}
	}
	return nil
}

// firstOf reads a column of a batch's message that is first by it.
func (s Lanes) firstOf(ctx context.Context, tenantID, batchID, state, column string, m *Message) error {
	return database.Translate(s.l.q(ctx).Select(column).Where("tenant_id = ? AND batch_id = ? AND state = ?", tenantID, batchID, state).
		Order(column).Take(m).Error)
}

// applyLateRule stops a batch with a text that should have gone at due, if its
// late rule says so. One that somebody paused or cancelled meanwhile stays as
// it is: it must not keep the lane from sending what else it has.
func (s Batches) applyLateRule(ctx context.Context, tenantID, id string, due time.Time) error {
	b, err := s.Get(ctx, tenantID, "", id)
	if err != nil || !b.IsLate(due, s.l.db.Now()) {
		return err
	}
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		if err := tx.Batches.Update(ctx, tenantID, id, []string{BatchPreparing, BatchSending}, b.StoppedLate(tx.db.Now())); err != nil {
			return err
		}
		return tx.Batches.enqueueApplyState(ctx, tenantID, []string{id})
	})
	if errors.Is(err, database.ErrLost) {
		return nil
	}
	return err
}
