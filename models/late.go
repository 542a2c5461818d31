package models

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// lateLook is how old a due moment must be before anybody asks whether it is too late: a busy lane promotes its texts
// within seconds.
const lateLook = time.Minute

// LateBy tells whether a moment at which a text of the batch was to go has passed by more than its late rule allows.
func (b Batch) LateBy(due, now time.Time) bool {
	return b.SendAt != nil && b.LateDo != LateSend && now.Sub(due) > time.Duration(b.LateMinutes)*time.Minute
}

// Late is what becomes of a batch that is too late: held for its sender to decide, or dropped.
func (b Batch) Late(now time.Time) map[string]any {
	reason := "The time passed while texts could not be sent (" + b.LocalTime + ", " + b.TimeZone + ")"
	if b.LateDo == LateDrop {
		return map[string]any{"state": BatchCancelled, "held_reason": reason, "held_code": HeldLate, "finished_at": now.UTC()}
	}
	return map[string]any{"state": BatchHeld, "held_reason": reason, "held_code": HeldLate, "held_at": now.UTC()}
}

// lateScope are the batches that a late rule may stop on the way.
const lateScope = "b.send_at IS NOT NULL AND b.late_do <> 'send' AND b.state IN ('preparing', 'sending')"

// judgeOverdue applies the late rule to scheduled batches of a lane whose texts lay prepared past their time: every worker
// was gone, or a backup was restored.
func (s *Store) judgeOverdue(ctx context.Context, l Lane) error {
	now := s.Now()
	var ids []string
	err := s.q(ctx).Table("messages m").Distinct("m.batch_id").Joins("JOIN batches b ON b.id = m.batch_id").
		Where("m.lane_id = ? AND m.tenant_id = ? AND m.state = 'waiting' AND m.due_at < ?", l.ID, l.TenantID, now.Add(-lateLook)).
		Where(lateScope).Pluck("m.batch_id", &ids).Error
	if err != nil {
		return err
	}
	for _, id := range ids {
		var m Message
		err := one(s.q(ctx).Select("due_at").Where("tenant_id = ? AND batch_id = ? AND state = 'waiting'", l.TenantID, id).Order("due_at").Take(&m).Error)
		if errors.Is(err, ErrNotFound) {
			continue // cancelled meanwhile
		}
		if err != nil {
			return err
		}
		if err := s.judge(ctx, l.TenantID, id, *m.DueAt); err != nil {
			return err
		}
	}
	return nil
}

// judgeQueued does that for texts that lay in the queue of lanes which nobody served since. A long bulk waits for its turns
// for hours and is not late, but then its lane moves.
func (s *Store) judgeQueued(ctx context.Context, lanes []Lane) error {
	now, idle := s.Now(), map[string]Lane{}
	for _, l := range lanes {
		if l.SlotAt == nil || now.Sub(*l.SlotAt) > lateLook {
			idle[l.ID] = l
		}
	}
	if len(idle) == 0 {
		return nil
	}
	var left []struct{ LaneID, BatchID string }
	err := s.q(ctx).Table("messages m").Distinct("m.lane_id", "m.batch_id").Joins("JOIN batches b ON b.id = m.batch_id").
		Where("m.lane_id IN "+s.list()+" AND m.state = 'queued' AND m.updated_at < ?", toJSON(slices.Collect(maps.Keys(idle))), now.Add(-lateLook)).
		Where(lateScope).Find(&left).Error
	if err != nil {
		return err
	}
	for _, b := range left {
		var m Message
		l := idle[b.LaneID]
		err := one(s.q(ctx).Select("updated_at").Where("tenant_id = ? AND batch_id = ? AND state = 'queued'", l.TenantID, b.BatchID).Order("updated_at").Take(&m).Error)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if l.SlotAt != nil && l.SlotAt.After(m.UpdatedAt) {
			m.UpdatedAt = *l.SlotAt
		}
		if err := s.judge(ctx, l.TenantID, b.BatchID, m.UpdatedAt); err != nil {
			return err
		}
	}
	return nil
}

// judge stops a batch with a text that should have gone by a moment, if its late rule says so. One that somebody paused or
// cancelled meanwhile stays as it is: it must not keep the lane from sending what else it has.
func (s *Store) judge(ctx context.Context, tenantID, id string, due time.Time) error {
	b, err := s.Batch(ctx, tenantID, "", id)
	if now := s.Now(); err != nil || !b.LateBy(due, now) {
		return err
	}
	err = s.Tx(ctx, func(tx *Store) error {
		if err := tx.UpdateBatch(ctx, tenantID, id, []string{BatchPreparing, BatchSending}, b.Late(tx.Now())); err != nil {
			return err
		}
		return tx.moveEach(ctx, tenantID, []string{id})
	})
	if errors.Is(err, ErrLost) {
		return nil
	}
	return err
}
