package ledger

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Cancel cancels a queued, waiting or held message, with a reason for
// people. It returns ErrLost when the message is in another state.
func (s Messages) Cancel(ctx context.Context, m Message, reason string) error {
	var changed []Transition
	err := s.l.Tx(ctx, func(tx *Ledger) (err error) {
		changed, err = tx.Messages.transition(ctx, map[string]any{"state": Cancelled, "error_text": reason, "settled_at": s.l.db.Now(), "timeline_pending": true},
			"tenant_id = ? AND id = ? AND state IN ?", m.TenantID, m.ID, []string{Queued, Waiting, Held})
		if err == nil && len(changed) == 0 {
			err = database.ErrLost
		}
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
	var changed []Transition
	err := s.l.Tx(ctx, func(tx *Ledger) (err error) {
		changed, err = tx.Messages.transition(ctx, set, "tenant_id = ? AND id IN (?) AND state IN ?", tenantID,
			tx.q(ctx).Model(&Message{}).Select("id").Where("tenant_id = ? AND batch_id = ? AND state IN ?", tenantID, batchID, from).Limit(n), from)
		if err != nil {
			return err
		}
		return tx.enqueueCompletions(ctx, changed)
	})
	return int64(len(changed)), err
}

// transition changes the columns of the messages that match a condition, among
// them the state, counts them, and returns what changed. Call it in a
// transaction.
func (s Messages) transition(ctx context.Context, set map[string]any, where string, args ...any) ([]Transition, error) {
	set["previous_state"] = gorm.Expr("state")
	var rows []Message
	err := s.l.q(ctx).Model(&rows).Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}, {Name: "tenant_id"}, {Name: "batch_id"},
		{Name: "callback_id"}, {Name: "user_id"}, {Name: "state"}, {Name: "previous_state"}, {Name: "settled_at"}}}).
		Where(where, args...).Updates(set).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	changed := make([]Transition, len(rows))
	for i, m := range rows {
		changed[i] = Transition{ID: m.ID, TenantID: m.TenantID, BatchID: m.BatchID, CallbackID: m.CallbackID, State: m.State,
			UserID: m.UserID, PreviousState: m.PreviousState, SettledAt: m.SettledAt}
	}
	return changed, s.l.Counters.count(ctx, changed)
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
		if _, err := tx.Messages.transition(ctx, map[string]any{"state": Waiting}, "tenant_id = ? AND id IN ? AND state = 'held' AND due_at > ?",
			l.TenantID, ids, now); err != nil {
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
	_, err := s.transition(ctx, set, "tenant_id = ? AND id IN ? AND state IN ?", l.TenantID, ids, []string{Held, Queued, Waiting})
	return err
}
