package models

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// How long what a popup stores is kept after it was last stored.
const (
	DraftLifetime       = 7 * 24 * time.Hour
	PreferencesLifetime = 400 * 24 * time.Hour
)

const maxDrafts = 50 // of one user

// Draft is what a CRM user is writing, or what the user's popups
// remember, sealed. NumberKey and ContactID are the person's to whom it
// is written; both may be "".
type Draft struct {
	TenantID   string `gorm:"primaryKey"`
	UserID     string `gorm:"primaryKey"`
	Name       string `gorm:"primaryKey"` // of the popup
	NumberKey  string
	ContactID  string
	BodySealed Sealed
	ExpiresAt  time.Time
}

func draftPlace(tenantID, userID, name string) string {
	return "drafts.body_sealed." + tenantID + "." + userID + "." + name
}

// Save stores a body for some time under d's name, in place of an older
// one. "" deletes it. Of more than maxDrafts the oldest are deleted.
func (s Drafts) Save(ctx context.Context, d Draft, body string, keep time.Duration) error {
	if body == "" {
		return s.s.q(ctx).Where("tenant_id = ? AND user_id = ? AND name = ?", d.TenantID, d.UserID, d.Name).Delete(&Draft{}).Error
	}
	d.BodySealed = s.s.vault.Seal(draftPlace(d.TenantID, d.UserID, d.Name), body)
	d.ExpiresAt = s.s.Now().Add(keep)
	return s.s.Tx(ctx, func(tx *Store) error {
		if err := tx.q(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&d).Error; err != nil {
			return database.Translate(err)
		}
		return tx.Drafts.trim(ctx, d.TenantID, d.UserID)
	})
}

func (s Drafts) trim(ctx context.Context, tenantID, userID string) error {
	var names []string
	err := s.s.q(ctx).Model(&Draft{}).Where("tenant_id = ? AND user_id = ?", tenantID, userID).
		Order("expires_at DESC, name").Offset(maxDrafts).Limit(maxDrafts).Pluck("name", &names).Error
	if err != nil || len(names) == 0 {
		return err
	}
	return s.s.q(ctx).Where("tenant_id = ? AND user_id = ? AND name IN ?", tenantID, userID, names).Delete(&Draft{}).Error
}

// Bodies returns a user's stored bodies of the given names, by name. It
// leaves out what can't be opened: its key is gone.
func (s Drafts) Bodies(ctx context.Context, tenantID, userID string, names ...string) (map[string]string, error) {
	var rows []Draft
	if err := s.s.q(ctx).Find(&rows, "tenant_id = ? AND user_id = ? AND name IN ? AND expires_at > ?", tenantID, userID, names, s.s.Now()).Error; err != nil {
		return nil, err
	}
	out := make(map[string]string, len(rows))
	for _, d := range rows {
		body, err := s.s.vault.Open(draftPlace(tenantID, userID, d.Name), d.BodySealed)
		if err == nil {
			out[d.Name] = body
		}
	}
	return out, nil
}

// eraseNumber deletes the drafts to a person, by the keys of the number.
func (s Drafts) eraseNumber(ctx context.Context, tenantID string, keys []string) error {
	return s.s.q(ctx).Where("tenant_id = ? AND number_key IN ?", tenantID, keys).Delete(&Draft{}).Error
}

// eraseContact deletes the drafts to a CRM contact.
func (s Drafts) eraseContact(ctx context.Context, tenantID, contactID string) error {
	return s.s.q(ctx).Where("tenant_id = ? AND contact_id = ?", tenantID, contactID).Delete(&Draft{}).Error
}
