package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Said is an opt-out or an opt-in of a number (E.164): what was said,
// when, and how it is known.
type Said struct {
	ID     string // of the record, "" for a new one; the same is kept once
	Number string
	Source string // of the suppression
	At     time.Time
	UserID string // who recorded it, "" for nobody
	Note   string // how it was said
}

// Consent is one thing that was said. It stays for ever; an erasure
// empties its note.
type Consent struct {
	ID        string `gorm:"primaryKey"`
	TenantID  string
	NumberKey string
	OptedOut  bool
	Source    string
	UserID    string
	Note      string
	SaidAt    time.Time
	CreatedAt time.Time
}

// OptOut records an opt-out and suppresses its number, unless the person
// opted in later than that. It reports whether that changed the
// suppression. Call it in a transaction.
func (s Suppressions) OptOut(ctx context.Context, tenantID string, said Said) (changed bool, err error) {
	newest, err := s.NewestOptIn(ctx, tenantID, said.Number)
	if err != nil {
		return false, err
	}
	if err := s.record(ctx, tenantID, said, true); err != nil || newest.After(said.At) {
		return false, err
	}
	return s.add(ctx, tenantID, said)
}

// OptIn records an opt-in and removes those suppressions by the sources
// that are older: of the same moment, the opt-out wins. It reports
// whether there were any. Call it in a transaction.
func (s Suppressions) OptIn(ctx context.Context, tenantID string, said Said, sources ...string) (changed bool, err error) {
	if err := s.record(ctx, tenantID, said, false); err != nil {
		return false, err
	}
	return s.RemoveSaidBefore(ctx, tenantID, said.Number, said.At, sources...)
}

func (s Suppressions) record(ctx context.Context, tenantID string, said Said, optedOut bool) error {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, said.Number)
	if err != nil {
		return err
	}
	if said.ID == "" {
		said.ID = NewID()
	}
	return s.s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&Consent{ID: said.ID, TenantID: tenantID, NumberKey: key,
		OptedOut: optedOut, Source: said.Source, UserID: said.UserID, Note: said.Note, SaidAt: said.At.UTC(), CreatedAt: s.s.db.Now()}).Error
}

// NewestOptIn returns when a number last opted in, zero for never.
func (s Suppressions) NewestOptIn(ctx context.Context, tenantID, number string) (time.Time, error) {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, number)
	if err != nil {
		return time.Time{}, err
	}
	var c Consent
	err = database.Translate(s.s.q(ctx).Where("tenant_id = ? AND number_key = ? AND NOT opted_out", tenantID, key).
		Order("said_at DESC").Take(&c).Error)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return c.SaidAt, err
}

// Consents returns what was said about a number, newest first.
func (s Suppressions) Consents(ctx context.Context, tenantID, number string, limit int) ([]Consent, error) {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, number)
	if err != nil {
		return nil, err
	}
	var out []Consent
	return out, s.s.q(ctx).Where("tenant_id = ? AND number_key = ?", tenantID, key).Order("said_at DESC, id DESC").Limit(limit).Find(&out).Error
}

// Of returns a number's suppressions.
func (s Suppressions) Of(ctx context.Context, tenantID, number string) ([]Suppression, error) {
	key, err := s.s.Tenants.NumberKey(ctx, tenantID, number)
	if err != nil {
		return nil, err
	}
	var out []Suppression
	return out, s.s.q(ctx).Where("tenant_id = ? AND number_key = ?", tenantID, key).Order("said_at DESC, source").Find(&out).Error
}
