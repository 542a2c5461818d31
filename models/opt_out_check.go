package models

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// NumberRef names a number of a tenant.
type NumberRef struct{ TenantID, Number string }

// OptOutCheck is what is known of a number right before a text goes out.
type OptOutCheck struct {
	Suppressed  bool
	ReviewSince *time.Time // when a review began, nil for none
	Err         error      `gorm:"-"` // of this number alone
}

// CheckAllTenants reads the present state of numbers in one statement,
// in their order.
func (s Suppressions) CheckAllTenants(ctx context.Context, numbers []NumberRef) ([]OptOutCheck, error) {
	type question struct {
		At     int    `json:"at"`
		Tenant string `json:"tenant"`
		Key    string `json:"key"`
	}
	questions, out := make([]question, 0, len(numbers)), make([]OptOutCheck, len(numbers))
	for i, n := range numbers {
		key, err := s.s.Tenants.NumberKey(ctx, n.TenantID, n.Number)
		if out[i].Err = err; err == nil {
			questions = append(questions, question{i, n.TenantID, key})
		}
	}
	var rows []struct {
		At int
		OptOutCheck
	}
	err := s.s.q(ctx).Raw(`SELECT o.at, r.created_at AS review_since,
		EXISTS (SELECT 1 FROM suppressions s WHERE s.tenant_id = o.tenant AND s.number_key = o.key) AS suppressed
		FROM `+s.s.db.Dialect().Rows("?", "at int, tenant text, key text")+` LEFT JOIN opt_out_reviews r ON r.tenant_id = o.tenant AND r.number_key = o.key`, database.JSON(questions)).Find(&rows).Error
	for _, row := range rows {
		out[row.At] = row.OptOutCheck
	}
	return out, err
}
