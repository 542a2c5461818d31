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
	var late []struct {
		BatchID string
		DueAt   time.Time
	}
	now := s.Now()
	err := s.q(ctx).Model(&Message{}).Select("messages.batch_id, messages.due_at").Joins("JOIN batches b ON b.id = messages.batch_id").
		Where("messages.lane_id = ? AND messages.tenant_id = ? AND messages.state = 'waiting' AND messages.due_at < ?", l.ID, l.TenantID, now.Add(-lateLook)).
		Where("b.send_at IS NOT NULL AND b.late_do <> 'send' AND b.state IN ('preparing', 'sending')").
		Order("messages.due_at").Limit(1000).Scan(&late).Error
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, m := range late {
		if seen[m.BatchID] {
			continue
		}
		seen[m.BatchID] = true
		b, err := s.Batch(ctx, l.TenantID, "", m.BatchID)
		if err != nil {
			return err
		}
		if !b.LateBy(m.DueAt, now) {
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
