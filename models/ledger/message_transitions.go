package ledger

import (
	"context"
	"slices"

	"github.com/riverqueue/river"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
	"dialpad-texting/models/queue"
)

// Cancel cancels a message that has not been claimed, and returns ErrLost when
// it has.
func (s Messages) Cancel(ctx context.Context, m Message, reason string) error {
	moved := []Transition{{ID: m.ID, TenantID: m.TenantID, BatchID: m.BatchID, CallbackID: m.CallbackID, State: Cancelled}}
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		err := database.MustChange(tx.q(ctx).Model(&Message{}).
			Where("tenant_id = ? AND id = ? AND state IN ?", m.TenantID, m.ID, []string{Queued, Waiting, Held}).
			Updates(map[string]any{"state": Cancelled, "error_text": reason, "settled_at": s.l.db.Now(), "timeline_pending": true}))
		if err != nil {
			return err
		}
		return tx.enqueueCompletions(ctx, moved)
	})
	if err != nil {
		return err
	}
	return s.l.FollowUp(ctx, moved)
}

// ChangeState changes up to n messages of a batch from some states to another,
// with a code and a sentence, and returns how many. The completion of an
// automation whose text ends here is enqueued. To queue messages use Requeue.
func (s Messages) ChangeState(ctx context.Context, tenantID, batchID string, from []string, to, code, reason string, n int) (int64, error) {
	set := map[string]any{"state": to, "error_code": code, "error_text": reason, "timeline_pending": true}
	if to != Held {
		set["settled_at"] = s.l.db.Now()
	}
	var moved []Message
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		err := tx.q(ctx).Model(&moved).Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}, {Name: "callback_id"}}}).
			Where("tenant_id = ? AND id IN (?)", tenantID,
				tx.q(ctx).Model(&Message{}).Select("id").Where("tenant_id = ? AND batch_id = ? AND state IN ?", tenantID, batchID, from).Limit(n)).
			Where("state IN ?", from).Updates(set).Error
		if err != nil || to == Held {
			return err
		}
		var jobs []river.JobArgs
		for _, m := range moved {
			if m.CallbackID != "" {
				jobs = append(jobs, queue.CompleteCallback{TenantID: tenantID, CallbackID: m.CallbackID})
			}
		}
		return tx.db.Enqueue(ctx, jobs...)
	})
	return int64(len(moved)), err
}

// Requeue puts up to n held messages of a batch back into the lane's queue, and
// returns how many; a senderID changes their sender. Those whose time has not
// come wait for it. What still waits in the lane of a company that was connected
// before is moved as well: it came back from the wire after the rest was held.
func (s Messages) Requeue(ctx context.Context, l Lane, batchID, senderID string, n int) (int, error) {
	moved := 0
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		var held []Message
		if err := tx.q(ctx).Select("id", "class", "batch_id", "due_at").Where("tenant_id = ? AND batch_id = ?", l.TenantID, batchID).
			Where("state = 'held' OR state IN ('queued', 'waiting') AND lane_id <> ?", l.ID).
			Order("id").Limit(n).Find(&held).Error; err != nil || len(held) == 0 {
			return err
		}
		ids := make([]string, len(held))
		for i := range held {
			ids[i], held[i].SenderID = held[i].ID, senderID
		}
		set := map[string]any{"state": Held, "lane_id": l.ID, "error_code": "", "error_text": "", "timeline_pending": true}
		if senderID != "" {
			set["sender_id"] = senderID
		}
		if err := tx.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN ? AND state IN ?", l.TenantID, ids, []string{Held, Queued, Waiting}).Updates(set).Error; err != nil {
			return err
		}
		moved = len(held)
		now := tx.db.Now()
		early := func(m Message) bool { return m.DueAt != nil && m.DueAt.After(now) }
		if err := tx.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN ? AND state = 'held' AND due_at > ?", l.TenantID, ids, now).
			Update("state", Waiting).Error; err != nil {
			return err
		}
		return tx.Lanes.queue(ctx, l, slices.DeleteFunc(held, early))
	})
	return moved, err
}
