package ledger

import (
	"context"

	"gorm.io/gorm"
)

// CodeReview is the code of a message that waits until somebody decides
// whether its recipient opted out.
const CodeReview = "opt_out_review"

// ReleaseReviewed makes the messages due that wait for the review of a
// number, given by its key. Call it in a transaction.
func (s Messages) ReleaseReviewed(ctx context.Context, tenantID, key string) error {
	waiting := func() *gorm.DB {
		return s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN (?) AND state = ? AND error_code = ?",
			tenantID, s.idsByRecipient(ctx, tenantID, "number_key = ? AND number_key <> ''", key), Waiting, CodeReview)
	}
	var lanes []string
	if err := waiting().Distinct("lane_id").Pluck("lane_id", &lanes).Error; err != nil || len(lanes) == 0 {
		return err
	}
	now := s.l.db.Now()
	if err := waiting().Update("due_at", now).Error; err != nil {
		return err
	}
	for _, id := range lanes {
		if err := s.l.Lanes.MarkDue(ctx, tenantID, id, now); err != nil {
			return err
		}
	}
	return nil
}

// TextedNumbers is a condition on a column of number keys: that a user
// texted the number.
func TextedNumbers(column string) string {
	return `EXISTS (SELECT 1 FROM recipients r JOIN messages m ON m.id = r.message_id
		WHERE r.tenant_id = ? AND r.number_key = ` + column + ` AND r.number_key <> '' AND m.user_id = ?)`
}

// TextedBy reports whether a user, or anybody for "", texted a number,
// given by its key.
func (s Messages) TextedBy(ctx context.Context, tenantID, userID, key string) (bool, error) {
	q := s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN (?)", tenantID, s.idsByRecipient(ctx, tenantID, "number_key = ? AND number_key <> ''", key))
	var n int64
	err := ofUser(q, userID).Limit(1).Count(&n).Error
	return n > 0, err
}
