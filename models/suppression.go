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
	OptOutPerson  = "person"  // somebody of the tenant recorded it
)

// Suppression is a number not to be texted, by one source. NumberKey
// stays when the number is erased.
type Suppression struct {
	TenantID  string `gorm:"primaryKey"`
	NumberKey string `gorm:"primaryKey"`
	Source    string `gorm:"primaryKey"`
	Number    string // "" once erased
	Reason    string
	UserID    string    // who recorded it, with OptOutPerson
	SaidAt    time.Time // when the person said it
	CreatedAt time.Time
}

// Add suppresses a number (E.164) for a source from now on, and reports
// whether that changed anything.
func (s Suppressions) Add(ctx context.Context, tenantID, number, source, reason string) (added bool, err error) {
	return s.add(ctx, tenantID, Said{Number: number, Source: source, Note: reason, At: s.s.db.Now()})
}

// add suppresses a number, or moves its suppression to a later moment.
func (s Suppressions) add(ctx context.Context, tenantID string, said Said) (changed bool, err error) {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, said.Number)
	if err != nil {
		return false, err
	}
	row := Suppression{TenantID: tenantID, NumberKey: key, Source: said.Source, Number: said.Number, Reason: said.Note,
		UserID: said.UserID, SaidAt: said.At.UTC(), CreatedAt: s.s.db.Now()}
	var erased int64 // Dialpad's list and the CRM may name the number again
	if err := s.s.q(ctx).Model(&Suppression{}).Where("tenant_id = ? AND number_key = ? AND number = ''", tenantID, key).Count(&erased).Error; err != nil {
		return false, err
	}
	if erased > 0 {
		row.Number = ""
	}
	r := s.s.q(ctx).Clauses(laterSaid("suppressions", []string{"tenant_id", "number_key", "source"}, "number", "reason", "user_id")).Create(&row)
	return r.RowsAffected > 0, r.Error
}

// laterSaid replaces the named columns of the row with the same key, if
// the new one was said later. It is one statement: an older opt-in may
// remove the existing row at the same time.
func laterSaid(table string, key []string, columns ...string) clause.OnConflict {
	same := make([]clause.Column, len(key))
	for i, name := range key {
		same[i].Name = name
	}
	return clause.OnConflict{Columns: same, DoUpdates: clause.AssignmentColumns(append(columns, "said_at")),
		Where: clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: table + ".said_at < excluded.said_at"}}}}
}

// Remove removes a number's suppressions by the given sources, and
// reports whether there were any.
func (s Suppressions) Remove(ctx context.Context, tenantID, number string, sources ...string) (removed bool, err error) {
	return s.RemoveUntil(ctx, tenantID, number, s.s.db.Now(), sources...)
}

// RemoveUntil is Remove for suppressions that were added until a time.
func (s Suppressions) RemoveUntil(ctx context.Context, tenantID, number string, until time.Time, sources ...string) (removed bool, err error) {
	return s.remove(ctx, tenantID, number, "created_at <= ?", until, sources)
}

// RemoveSaidBefore is Remove for what the person said before a time.
func (s Suppressions) RemoveSaidBefore(ctx context.Context, tenantID, number string, at time.Time, sources ...string) (removed bool, err error) {
	return s.remove(ctx, tenantID, number, "said_at < ?", at, sources)
}

// remove removes the suppressions that meet a condition on a time.
func (s Suppressions) remove(ctx context.Context, tenantID, number, where string, at time.Time, sources []string) (removed bool, err error) {
	keys, err := s.s.Tenants.NumberKeys(ctx, tenantID, number)
	if err != nil {
		return false, err
	}
	r := s.s.q(ctx).Where("tenant_id = ? AND number_key IN ? AND source IN ?", tenantID, keys, sources).
		Where(where, at.UTC()).Delete(&Suppression{})
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
