package models

import (
	"context"
	"time"

	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
)

// OptOutReview is a number whose last text may mean an opt-out. It
// exists until somebody decides.
type OptOutReview struct {
	TenantID  string `gorm:"primaryKey"`
	NumberKey string `gorm:"primaryKey"`
	Number    string // E.164
	Text      string // what was written, "" if unknown
	SaidAt    time.Time
	CreatedAt time.Time // when texts began to wait
}

// AddReview opens a number's review, or updates it to a later text. It
// keeps CreatedAt.
func (s Suppressions) AddReview(ctx context.Context, tenantID string, said Said) error {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, said.Number)
	if err != nil {
		return err
	}
	r := OptOutReview{TenantID: tenantID, NumberKey: key, Number: said.Number, Text: said.Note, SaidAt: said.At.UTC(), CreatedAt: s.s.db.Now()}
	return s.s.q(ctx).Clauses(laterSaid("opt_out_reviews", []string{"tenant_id", "number_key"}, "text")).Create(&r).Error
}

// CloseReview ends a number's review of a text until a time, releases
// the messages that waited for it, and reports whether there was one.
// Call it in a transaction.
func (s Suppressions) CloseReview(ctx context.Context, tenantID, number string, until time.Time) (closed bool, err error) {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, number)
	if err != nil {
		return false, err
	}
	r := s.s.q(ctx).Where("tenant_id = ? AND number_key = ? AND said_at <= ?", tenantID, key, until.UTC()).Delete(&OptOutReview{})
	if r.Error != nil || r.RowsAffected == 0 {
		return false, r.Error
	}
	return true, s.s.Messages.ReleaseReviewed(ctx, tenantID, key)
}

// Review returns a number's review, or ErrNotFound.
func (s Suppressions) Review(ctx context.Context, tenantID, number string) (OptOutReview, error) {
	var r OptOutReview
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, number)
	if err != nil {
		return r, err
	}
	return r, database.Translate(s.s.q(ctx).Take(&r, "tenant_id = ? AND number_key = ?", tenantID, key).Error)
}

// ReviewKeys returns those of the number keys that have a review.
func (s Suppressions) ReviewKeys(ctx context.Context, tenantID string, keys []string) (map[string]bool, error) {
	var found []string
	err := s.s.q(ctx).Model(&OptOutReview{}).Where("tenant_id = ? AND number_key IN ?", tenantID, keys).Pluck("number_key", &found).Error
	out := make(map[string]bool, len(found))
	for _, k := range found {
		out[k] = true
	}
	return out, err
}

// Reviews returns a tenant's reviews, the newest text first. userID, if
// not "", limits them to numbers that this user texted.
func (s Suppressions) Reviews(ctx context.Context, tenantID, userID string, limit int) ([]OptOutReview, error) {
	q := s.s.q(ctx).Where("tenant_id = ?", tenantID)
	if userID != "" {
		q = q.Where(ledger.TextedNumbers("opt_out_reviews.number_key"), tenantID, userID)
	}
	var out []OptOutReview
	return out, q.Order("said_at DESC, number_key").Limit(limit).Find(&out).Error
}
