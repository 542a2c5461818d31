package models

import (
	"context"

	"gorm.io/gorm"
)

// openStates are the states of a batch that may still text.
var openStates = []string{BatchScheduled, BatchPreparing, BatchSending, BatchPaused, BatchHeld}

// HoldBatches holds all of a tenant's open batches, or one user's ("" is everyone's), with the reason people read.
// Nothing of them is claimed from this moment; MoveBatch then carries the state over to the messages. Automations
// are never held: their texts fail when their turn comes.
func (s *Store) HoldBatches(ctx context.Context, tenantID, userID, reason string) (int, error) {
	now := s.Now()
	return s.moveBatches(ctx, tenantID, userID, []string{BatchScheduled, BatchPreparing, BatchSending, BatchPaused},
		[]string{SourceOne, SourceBulk}, map[string]any{"state": BatchHeld, "held_reason": reason, "held_at": now})
}

// CancelBatches cancels all of a tenant's open batches with the reason people read.
func (s *Store) CancelBatches(ctx context.Context, tenantID, userID, reason string) (int, error) {
	return s.moveBatches(ctx, tenantID, userID, openStates, []string{SourceOne, SourceBulk, SourceAutomation},
		map[string]any{"state": BatchCancelled, "held_reason": reason, "finished_at": s.Now()})
}

func (s *Store) moveBatches(ctx context.Context, tenantID, userID string, from, sources []string, set map[string]any) (int, error) {
	n := 0
	err := s.Tx(ctx, func(tx *Store) error {
		q := func() *gorm.DB {
			db := tx.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state IN ? AND source IN ?", tenantID, from, sources)
			if userID != "" {
				db = db.Where("user_id = ?", userID)
			}
			return db
		}
		var ids []string
		if err := q().Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
			return err
		}
		set["version"] = gorm.Expr("version + 1")
		if err := q().Where("id IN ?", ids).Updates(set).Error; err != nil {
			return err
		}
		n = len(ids)
		for _, id := range ids {
			if err := tx.Enqueue(ctx, MoveBatch{TenantID: tenantID, BatchID: id}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
