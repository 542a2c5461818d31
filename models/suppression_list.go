package models

import (
	"context"
	"strings"

	"dialpad-texting/models/database"
)

// SuppressionFilter limits a list. Search is part of a number; Number
// (E.164), if it is one, is found also where it was erased.
type SuppressionFilter struct{ Search, Number string }

// Cursor names the row for the next page of List.
func (s Suppression) Cursor() string { return s.NumberKey + ":" + s.Source }

// List pages a tenant's suppressions, the newest first. after is the
// cursor of the last row of the page before; ErrNotFound for another.
func (s Suppressions) List(ctx context.Context, tenantID string, f SuppressionFilter, after string, limit int) ([]Suppression, error) {
	q := s.s.q(ctx).Where("tenant_id = ?", tenantID)
	if after != "" {
		key, source, _ := strings.Cut(after, ":")
		var last Suppression
		err := database.Translate(s.s.q(ctx).Take(&last, "tenant_id = ? AND number_key = ? AND source = ?", tenantID, key, source).Error)
		if err != nil {
			return nil, err
		}
		at := last.SaidAt.UTC()
		q = q.Where("said_at < ? OR said_at = ? AND (number_key > ? OR number_key = ? AND source > ?)", at, at, key, key, source)
	}
	if search := strings.TrimSpace(f.Search); search != "" {
		key := ""
		if f.Number != "" {
			var err error
			if key, err = s.s.Tenants.NumberKey(ctx, tenantID, f.Number); err != nil {
				return nil, err
			}
		}
		q = q.Where("number_key = ? OR number LIKE ?", key, "%"+digitsOf(search)+"%")
	}
	var out []Suppression
	return out, q.Order("said_at DESC, number_key, source").Limit(limit).Find(&out).Error
}

// digitsOf returns the digits of a search, or what matches no number.
func digitsOf(search string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, search)
	if digits == "" {
		return "none"
	}
	return digits
}

// Count returns how many numbers are suppressed.
func (s Suppressions) Count(ctx context.Context, tenantID string) (int64, error) {
	var n int64
	return n, s.s.q(ctx).Model(&Suppression{}).Distinct("number_key").Where("tenant_id = ?", tenantID).Count(&n).Error
}
