package models

import (
	"context"
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

// judgeLate applies the late rule to scheduled batches whose texts lay prepared past their time: every worker was gone,
// or a backup was restored.
func (s *Store) judgeLate(ctx context.Context, l Lane) error {
	now := s.Now()
	lay, err := s.overdue(ctx, l, now)
	if err != nil {
		return err
	}
	queued, err := s.leftQueued(ctx, l, now)
	if err != nil {
		return err
	}
	for _, m := range append(lay, queued...) {
		b, err := s.Batch(ctx, l.TenantID, "", m.BatchID)
		if err != nil {
			return err
		}
		if b.State != BatchPreparing && b.State != BatchSending || !b.LateBy(m.Since, now) {
			continue
		}
		if err := s.UpdateBatch(ctx, b.TenantID, b.ID, []string{BatchPreparing, BatchSending}, b.Late(now)); err != nil {
			return err
		}
		if err := s.moveEach(ctx, b.TenantID, []string{b.ID}); err != nil {
			return err
		}
	}
	return nil
}

// layPast is a batch with a text that should have gone by a moment.
type layPast struct {
	BatchID string
	Since   time.Time
}

// overdue are the batches with texts that were not promoted in time, by the earliest of each.
func (s *Store) overdue(ctx context.Context, l Lane, now time.Time) ([]layPast, error) {
	return s.first(ctx, "messages.due_at", "messages.lane_id = ? AND messages.tenant_id = ? AND messages.state = 'waiting' AND messages.due_at < ?",
		l.ID, l.TenantID, now.Add(-lateLook))
}

// leftQueued are the batches with texts that were in the queue of a lane which nobody served since: a long bulk waits
// for its turns for hours and is not late, but then its lane moves.
func (s *Store) leftQueued(ctx context.Context, l Lane, now time.Time) ([]layPast, error) {
	l, err := s.LaneOf(ctx, l.TenantID, l.ID) // what the worker holds of it is as old as its lease
	if err != nil || l.SlotAt != nil && now.Sub(*l.SlotAt) < lateLook {
		return nil, err
	}
	out, err := s.first(ctx, "messages.updated_at", "messages.lane_id = ? AND messages.tenant_id = ? AND messages.state = 'queued' AND messages.updated_at < ?",
		l.ID, l.TenantID, now.Add(-lateLook))
	for i := range out {
		if l.SlotAt != nil && l.SlotAt.After(out[i].Since) {
			out[i].Since = *l.SlotAt
		}
	}
	return out, err
}

// first finds the batches under a late rule that have such texts, and the first moment of a column in each.
func (s *Store) first(ctx context.Context, column, where string, args ...any) ([]layPast, error) {
	var ids []string
	err := s.q(ctx).Model(&Message{}).Distinct("messages.batch_id").Joins("JOIN batches b ON b.id = messages.batch_id").Where(where, args...).
		Where("b.send_at IS NOT NULL AND b.late_do <> 'send' AND b.state IN ('preparing', 'sending')").Pluck("messages.batch_id", &ids).Error
	out := make([]layPast, len(ids))
	for i, id := range ids {
		if err := s.q(ctx).Model(&Message{}).Select("batch_id, "+column+" AS since").Where(where, args...).Where("batch_id = ?", id).
			Order(column).Limit(1).Scan(&out[i]).Error; err != nil {
			return nil, err
		}
	}
	return out, err
}
