package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"

	"dialpad-texting/models/database"
)

// EndedAllTenants deletes up to n messages of one batch that ended before a
// time, with their recipients, attempts, events and answers, and the batch once
// it has none left. It returns how many rows of messages and batches it deleted,
// 0 when nothing is left to delete.
//
// A batch stays while any of its texts is queued, waiting, sending or held, or
// uncertain since less than that. Its counts stay until it is deleted. Figures,
// opt-outs, audit entries and the outcomes of automation calls are not deleted.
func (s Retention) EndedAllTenants(ctx context.Context, before time.Time, n int) (deleted int, err error) {
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		deleted = 0 // of a try that was repeated
		for _, statement := range []string{"ended_done", "ended_cancelled"} {
			var ended []Batch
			if err := tx.query(ctx, statement, map[string]any{"before": before.UTC()}, &ended); err != nil {
				return err
			}
			if len(ended) > 0 {
				deleted, err = tx.Retention.delete(ctx, ended[0], n)
				return err
			}
		}
		return nil
	})
	return deleted, err
}

// delete deletes up to n messages of a batch, and the batch with the last.
func (s Retention) delete(ctx context.Context, b Batch, n int) (deleted int, err error) {
	var ids []string
	if err := s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND batch_id = ?", b.TenantID, b.ID).Limit(n).Pluck("id", &ids).Error; err != nil {
		return 0, err
	}
	for _, statement := range []string{"delete_attempts", "delete_events", "delete_replies", "delete_recipients", "delete_messages"} {
		if err := s.l.exec(ctx, statement, map[string]any{"tenant": b.TenantID, "batch": b.ID, "ids": database.JSON(ids)}); err != nil {
			return 0, err
		}
	}
	if len(ids) == n {
		return n, nil
	}
	for _, table := range []string{"batch_counts", "count_changes", "recipients"} {
		if err := s.l.q(ctx).Exec("DELETE FROM "+table+" WHERE tenant_id = ? AND batch_id = ?", b.TenantID, b.ID).Error; err != nil {
			return 0, err
		}
	}
	return len(ids) + 1, s.l.q(ctx).Where("tenant_id = ? AND id = ?", b.TenantID, b.ID).Delete(&Batch{}).Error
}

// DeleteUnmatchedAllTenants deletes up to n events received before a time that
// belong to no message, and returns how many. The subscription covers the whole
// company, so these hold numbers of texts that are none of ours.
func (s Events) DeleteUnmatchedAllTenants(ctx context.Context, before time.Time, n int) (int64, error) {
	unmatched := func(q *gorm.DB) *gorm.DB {
		return q.Model(&WebhookEvent{}).Where("received_at < ? AND message_id = ''", before.UTC())
	}
	r := unmatched(s.l.q(ctx)).Where("id IN (?)", unmatched(s.l.q(ctx)).Select("id").Limit(n)).Delete(&WebhookEvent{})
	return r.RowsAffected, r.Error
}
