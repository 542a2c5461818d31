package models

import (
	"context"
	"time"

	"gorm.io/gorm/clause"
)

// Sources of a suppression. One of them suffices to exclude a number.
const (
	OptOutCRM     = "crm"     // the CRM's field or event
	OptOutDialpad = "dialpad" // Dialpad's opt-out list
	OptOutReply   = "reply"   // an inbound SMS such as STOP
)

// Suppression is a number not to be texted, by one source. NumberKey
// stays when the number is erased.
type Suppression struct {
	TenantID  string `gorm:"primaryKey"`
	NumberKey string `gorm:"primaryKey"`
	Source    string `gorm:"primaryKey"`
	Number    string // "" once erased
	Reason    string
	CreatedAt time.Time
}

// Add suppresses a number (E.164) for a source, and reports whether it
// was not yet.
func (s Suppressions) Add(ctx context.Context, tenantID, number, source, reason string) (added bool, err error) {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, number)
	if err != nil {
		return false, err
	}
	r := s.s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&Suppression{
		TenantID: tenantID, NumberKey: key, Source: source, Number: number, Reason: reason, CreatedAt: s.s.db.Now()})
	return r.RowsAffected > 0, r.Error
}

// Remove removes a number's suppressions by the given sources, and
// reports whether there were any.
func (s Suppressions) Remove(ctx context.Context, tenantID, number string, sources ...string) (removed bool, err error) {
	return s.RemoveUntil(ctx, tenantID, number, s.s.db.Now(), sources...)
}

// RemoveUntil is Remove for suppressions that were added until a time: a
// later STOP stays in force.
func (s Suppressions) RemoveUntil(ctx context.Context, tenantID, number string, until time.Time, sources ...string) (removed bool, err error) {
	keys, err := s.s.Tenants.NumberKeys(ctx, tenantID, number)
	if err != nil {
		return false, err
	}
	r := s.s.q(ctx).Where("tenant_id = ? AND number_key IN ? AND source IN ? AND created_at <= ?", tenantID, keys, sources, until.UTC()).Delete(&Suppression{})
	return r.RowsAffected > 0, r.Error
}

// Keys returns those of the number keys that are suppressed.
func (s Suppressions) Keys(ctx context.Context, tenantID string, keys []string) (map[string]bool, error) {
	var suppressed []string
	err := s.s.q(ctx).Model(&Suppression{}).Distinct().Where("tenant_id = ? AND number_key IN ?", tenantID, keys).
		Pluck("number_key", &suppressed).Error
	out := make(map[string]bool, len(suppressed))
	for _, k := range suppressed {
		out[k] = true
	}
	return out, err
}

// Numbers returns those of the numbers that one of the sources suppresses.
func (s Suppressions) Numbers(ctx context.Context, tenantID string, numbers []string, sources ...string) (map[string]bool, error) {
	byKey, keys := map[string]string{}, make([]string, len(numbers))
	for i, n := range numbers {
		key, err := s.s.Tenants.NumberKey(ctx, tenantID, n)
		if err != nil {
			return nil, err
		}
		byKey[key], keys[i] = n, key
	}
	var suppressed []string
	err := s.s.q(ctx).Model(&Suppression{}).Distinct().Where("tenant_id = ? AND number_key IN ? AND source IN ?", tenantID, keys, sources).
		Pluck("number_key", &suppressed).Error
	out := make(map[string]bool, len(suppressed))
	for _, k := range suppressed {
		out[byKey[k]] = true
	}
	return out, err
}

// Contains reports whether any source suppresses a number.
func (s Suppressions) Contains(ctx context.Context, tenantID, number string) (bool, error) {
	keys, err := s.s.Tenants.NumberKeys(ctx, tenantID, number)
	if err != nil {
		return false, err
	}
	suppressed, err := s.Keys(ctx, tenantID, keys)
	return len(suppressed) > 0, err
}

// SealNumber seals a number for the arguments of a job.
func (s Suppressions) SealNumber(tenantID, number string) string {
	return s.s.vault.Seal("jobs.number."+tenantID, number).cipher
}

// OpenNumber opens a number that SealNumber sealed.
func (s Suppressions) OpenNumber(tenantID, sealed string) (string, error) {
	return s.s.vault.Open("jobs.number."+tenantID, Sealed{sealed})
}
