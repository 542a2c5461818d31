package ledger

import (
	"context"
	"slices"

	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Cancel cancels a queued, waiting or held message, with a reason for
// people. It returns ErrLost when the message is in another state.
func (s Messages) Cancel(ctx context.Context, m Message, reason string) error {
	changed := []Transition{{ID: m.ID, TenantID: m.TenantID, BatchID: m.BatchID, CallbackID: m.CallbackID, State: Cancelled}}
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		err := database.LostIfUnchanged(tx.q(ctx).Model(&Message{}).
			Where("tenant_id = ? AND id = ? AND state IN ?", m.TenantID, m.ID, []string{Queued, Waiting, Held}).
			Updates(map[string]any{"state": Cancelled, "error_text": reason, "settled_at": s.l.db.Now(), "timeline_pending": true}))
		if err != nil {
			return err
		}
		return tx.enqueueCompletions(ctx, changed)
	})
	if err != nil {
		return err
	}
	return s.l.FollowUp(ctx, changed)
}

// ChangeState changes up to n messages of a batch that are in the from
// states to the state to, with a code and a reason for people. It
// returns how many. Unless they are held, it enqueues the completions
// of their automation calls. Use Requeue to queue messages.
func (s Messages) ChangeState(ctx context.Context, tenantID, batchID string, from []string, to, code, reason string, n int) (int64, error) {
	set := map[string]any{"state": to, "error_code": code, "error_text": reason, "timeline_pending": true}
	if to != Held {
		set["settled_at"] = s.l.db.Now()
	}
	var changed []Message
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		err := tx.q(ctx).Model(&changed).Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}, {Name: "callback_id"}, {Name: "user_id"}, {Name: "settled_at"}}}).
			Where("tenant_id = ? AND id IN (?)", tenantID,
				tx.q(ctx).Model(&Message{}).Select("id").Where("tenant_id = ? AND batch_id = ? AND state IN ?", tenantID, batchID, from).Limit(n)).
			Where("state IN ?", from).Updates(set).Error
		if err != nil {
			return err
		}
		ended := make([]Transition, len(changed))
		for i, m := range changed {
			ended[i] = Transition{TenantID: tenantID, BatchID: batchID, CallbackID: m.CallbackID, State: to, UserID: m.UserID, SettledAt: m.SettledAt}
		}
		if err := tx.enqueueCompletions(ctx, ended); err != nil {
			return err
		}
		return tx.Figures.count(ctx, ended)
	})
	return int64(len(changed)), err
}

// Requeue queues up to n held messages of a batch in a lane, and
// returns how many. Those that are not due yet wait. A senderID other
// than "" is their new sender. Requeue also moves queued and waiting
// messages of the batch from another lane: they were sending when the
// rest was held, before the tenant connected another company.
func (s Messages) Requeue(ctx context.Context, l Lane, batchID, senderID string, n int) (requeued int, err error) {
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		requeued = 0
		var messages []Message
		if err := tx.q(ctx).Select("id", "class", "batch_id", "due_at").Where("tenant_id = ? AND batch_id = ?", l.TenantID, batchID).
			Where("state = 'held' OR state IN ('queued', 'waiting') AND lane_id <> ?", l.ID).
			Order("id").Limit(n).Find(&messages).Error; err != nil || len(messages) == 0 {
			return err
		}
		ids := make([]string, len(messages))
		for i := range messages {
			ids[i], messages[i].SenderID = messages[i].ID, senderID
		}
		if err := tx.Messages.holdInLane(ctx, l, ids, senderID); err != nil {
			return err
		}
		requeued = len(messages)
		now := tx.db.Now()
		if err := tx.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN ? AND state = 'held' AND due_at > ?", l.TenantID, ids, now).
			Update("state", Waiting).Error; err != nil {
			return err
		}
		isEarly := func(m Message) bool { return m.DueAt != nil && m.DueAt.After(now) }
		return tx.Lanes.queue(ctx, l, slices.DeleteFunc(messages, isEarly))
	})
	return requeued, err
}

// holdInLane moves messages to a lane, held and without an error. A
// senderID other than "" is their new sender.
func (s Messages) holdInLane(ctx context.Context, l Lane, ids []string, senderID string) error {
	set := map[string]any{"state": Held, "lane_id": l.ID, "error_code": "", "error_text": "", "timeline_pending": true}
	if senderID != "" {
		set["sender_id"] = senderID
	}
	return s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN ? AND state IN ?", l.TenantID, ids, []string{Held, Queued, Waiting}).
		Updates(set).Error
}
