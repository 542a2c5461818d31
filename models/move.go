package models

import (
	"context"
	"slices"

	"github.com/riverqueue/river"
	"gorm.io/gorm/clause"
)

// CancelMessage cancels a message that has not been claimed; ErrLost when it is too late.
func (s *Store) CancelMessage(ctx context.Context, m Message, reason string) error {
	moved := []Settled{{ID: m.ID, TenantID: m.TenantID, BatchID: m.BatchID, CallbackID: m.CallbackID, State: Cancelled}}
	err := s.Tx(ctx, func(tx *Store) error {
		err := changed(tx.q(ctx).Model(&Message{}).
			Where("tenant_id = ? AND id = ? AND state IN ?", m.TenantID, m.ID, []string{Queued, Waiting, Held}).
			Updates(map[string]any{"state": Cancelled, "error_text": reason, "settled_at": s.Now(), "untold": true}))
		if err != nil {
			return err
		}
		return tx.complete(ctx, moved)
	})
	if err != nil {
		return err
	}
	return s.FollowUp(ctx, moved)
}

// MoveMessages moves up to n messages of a batch from some states to another with a reason, and tells how many.
// Automations whose text ends here are told so. For queued as the target use RequeueMessages.
func (s *Store) MoveMessages(ctx context.Context, tenantID, batchID string, from []string, to, code, reason string, n int) (int64, error) {
	set := map[string]any{"state": to, "error_code": code, "error_text": reason, "untold": true}
	if to != Held {
		set["settled_at"] = s.Now()
	}
	var moved []Message
	err := s.Tx(ctx, func(tx *Store) error {
		err := tx.q(ctx).Model(&moved).Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}, {Name: "callback_id"}}}).
			Where("tenant_id = ? AND id IN (?)", tenantID,
				tx.db.Model(&Message{}).Select("id").Where("tenant_id = ? AND batch_id = ? AND state IN ?", tenantID, batchID, from).Limit(n)).
			Where("state IN ?", from).Updates(set).Error
		if err != nil || to == Held {
			return err
		}
		var jobs []river.JobArgs
		for _, m := range moved {
			if m.CallbackID != "" {
				jobs = append(jobs, CompleteCallback{TenantID: tenantID, CallbackID: m.CallbackID})
			}
		}
		return tx.Enqueue(ctx, jobs...)
	})
	return int64(len(moved)), err
}

// AfterMove lets the batch's sender start its turns anew, once its texts left the queue.
func (s *Store) AfterMove(ctx context.Context, b Batch, laneID, senderID string) error {
	key := Message{Class: b.Class, BatchID: b.ID, SenderID: senderID}.turnKey()
	return s.resetTurns(ctx, laneID, b.Class, key)
}

// RequeueMessages puts up to n held messages of a batch back into the lane's queue, from the given sender; "" leaves each
// its own. Those whose time has not come wait for it. What still waits in the lane of a company that was connected before
// comes along: it was taken back from the wire after the rest had been held.
func (s *Store) RequeueMessages(ctx context.Context, l Lane, batchID, senderID string, n int) (int, error) {
	moved := 0
	err := s.Tx(ctx, func(tx *Store) error {
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
		set := map[string]any{"state": Held, "lane_id": l.ID, "error_code": "", "error_text": "", "untold": true}
		if senderID != "" {
			set["sender_id"] = senderID
		}
		if err := tx.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN ? AND state IN ?", l.TenantID, ids, []string{Held, Queued, Waiting}).Updates(set).Error; err != nil {
			return err
		}
		moved = len(held)
		now := tx.Now()
		early := func(m Message) bool { return m.DueAt != nil && m.DueAt.After(now) }
		if err := tx.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN ? AND state = 'held' AND due_at > ?", l.TenantID, ids, now).
			Update("state", Waiting).Error; err != nil {
			return err
		}
		return tx.queueAgain(ctx, l, slices.DeleteFunc(held, early))
	})
	return moved, err
}
