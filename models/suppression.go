package models

import (
	"context"
	"time"

	"gorm.io/gorm/clause"
)

// Sources of a suppression. The strictest wins: one source is enough to leave a number out.
const (
	OptOutCRM     = "crm"     // the CRM's flag or event
	OptOutDialpad = "dialpad" // Dialpad's opt-out list
	OptOutReply   = "reply"   // an inbound STOP
)

// Suppression is a number not to be texted, and why. Its key outlives the number's erasure.
type Suppression struct {
	TenantID  string `gorm:"primaryKey"`
	NumberKey string `gorm:"primaryKey"`
	Source    string `gorm:"primaryKey"`
	Number    string // "" once erased
	Reason    string
	CreatedAt time.Time
}

// Suppress opts a number out for a source; told tells whether that is news.
func (s Suppressions) Add(ctx context.Context, tenantID, number, source, reason string) (news bool, err error) {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, number)
	if err != nil {
		return false, err
	}
	r := s.s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&Suppression{
		TenantID: tenantID, NumberKey: key, Source: source, Number: number, Reason: reason, CreatedAt: s.s.db.Now()})
	return r.RowsAffected > 0, r.Error
}

// Unsuppress opts a number in again for the given sources.
func (s Suppressions) Remove(ctx context.Context, tenantID, number string, sources ...string) (news bool, err error) {
	return s.RemoveUntil(ctx, tenantID, number, s.s.db.Now(), sources...)
}

// UnsuppressUntil does that for what was known at a moment: a later STOP stands.
func (s Suppressions) RemoveUntil(ctx context.Context, tenantID, number string, at time.Time, sources ...string) (news bool, err error) {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, number)
	if err != nil {
		return false, err
	}
	r := s.s.q(ctx).Where("tenant_id = ? AND number_key = ? AND source IN ? AND created_at <= ?", tenantID, key, sources, at.UTC()).Delete(&Suppression{})
	return r.RowsAffected > 0, r.Error
}

// SuppressedKeys returns which of the keys are suppressed.
func (s Suppressions) Keys(ctx context.Context, tenantID string, keys []string) (map[string]bool, error) {
	var found []string
	err := s.s.q(ctx).Model(&Suppression{}).Distinct().Where("tenant_id = ? AND number_key IN ?", tenantID, keys).
		Pluck("number_key", &found).Error
	out := make(map[string]bool, len(found))
	for _, k := range found {
		out[k] = true
	}
	return out, err
}

// SuppressedNumbers returns which of the numbers one of the sources suppresses.
func (s Suppressions) Numbers(ctx context.Context, tenantID string, numbers []string, sources ...string) (map[string]bool, error) {
	byKey, keys := map[string]string{}, make([]string, len(numbers))
	for i, n := range numbers {
		key, err := s.s.Tenants.NumberKey(ctx, tenantID, n)
		if err != nil {
			return nil, err
		}
		byKey[key], keys[i] = n, key
	}
	var found []string
	err := s.s.q(ctx).Model(&Suppression{}).Distinct().Where("tenant_id = ? AND number_key IN ? AND source IN ?", tenantID, keys, sources).
		Pluck("number_key", &found).Error
	out := make(map[string]bool, len(found))
	for _, k := range found {
		out[byKey[k]] = true
	}
	return out, err
}

// IsSuppressed tells whether a number is suppressed by any source.
func (s Suppressions) Contains(ctx context.Context, tenantID, number string) (bool, error) {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, number)
	if err != nil {
		return false, err
	}
	found, err := s.Keys(ctx, tenantID, []string{key})
	return found[key], err
}

// SealNumber seals a number for a job's arguments, which lie in the queue's table.
func (s Suppressions) SealNumber(tenantID, number string) string {
	return s.s.vault.Seal("jobs.number."+tenantID, number).cipher
}

// OpenNumber opens what SealNumber sealed.
func (s Suppressions) OpenNumber(tenantID, sealed string) (string, error) {
	return s.s.vault.Open("jobs.number."+tenantID, Sealed{sealed})
}
