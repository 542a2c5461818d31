package models

import (
	"context"
	"fmt"

	"gorm.io/gorm/clause"

	"dialpad-texting/internal/phone"
	"dialpad-texting/internal/text"
	"dialpad-texting/models/ledger"
)

// dataVersion counts the changes of rows that SQL can't make: 1 folded
// what is searched, and gave numbers with two forms one key; 2 keyed the
// hashes of requests.
const dataVersion = 2

// upgradeData completes the rows of tenants with an older data version,
// each tenant in a transaction.
func (s *Store) upgradeData(ctx context.Context) error {
	var old []Tenant
	if err := s.q(ctx).Select("id", "data_version").Where("data_version < ?", dataVersion).Order("id").Find(&old).Error; err != nil {
		return err
	}
	for _, t := range old {
		if err := s.Tx(ctx, func(tx *Store) error { return tx.upgradeTenant(ctx, t) }); err != nil {
			return fmt.Errorf("upgrade the rows of tenant %s: %w", t.ID, err)
		}
	}
	return nil
}

func (s *Store) upgradeTenant(ctx context.Context, t Tenant) error {
	if t.DataVersion < 1 {
		if err := s.foldAndRekey(ctx, t.ID); err != nil {
			return err
		}
	}
	keyed := func(hash string) (string, error) { return s.Tenants.RequestHash(ctx, t.ID, hash) }
	if err := ledger.RekeyRequests(ctx, s.Ledger, t.ID, keyed); err != nil {
		return err
	}
	return s.q(ctx).Model(&Tenant{}).Where("id = ?", t.ID).UpdateColumn("data_version", dataVersion).Error
}

func (s *Store) foldAndRekey(ctx context.Context, tenantID string) error {
	if err := s.FoldSearch(ctx, tenantID); err != nil {
		return err
	}
	if err := s.foldUsers(ctx, tenantID); err != nil {
		return err
	}
	key := func(number string) (string, error) { return s.Tenants.NumberKey(ctx, tenantID, number) }
	for _, prefix := range phone.TwinPrefixes() {
		if err := s.RekeyNumbers(ctx, tenantID, prefix, key); err != nil {
			return err
		}
		if err := s.rekeySuppressions(ctx, tenantID, prefix); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) foldUsers(ctx context.Context, tenantID string) error {
	var users []User
	if err := s.q(ctx).Where("tenant_id = ?", tenantID).Find(&users).Error; err != nil {
		return err
	}
	for _, u := range users {
		if err := s.q(ctx).Model(&User{}).Where("tenant_id = ? AND user_id = ?", tenantID, u.UserID).
			UpdateColumn("search", u.folded()).Error; err != nil {
			return err
		}
	}
	return nil
}

// rekeySuppressions moves opt-outs to the key of their number. Those of
// erased numbers stay, and are found by their old keys.
func (s *Store) rekeySuppressions(ctx context.Context, tenantID, prefix string) error {
	var list []Suppression
	if err := s.q(ctx).Where("tenant_id = ? AND number LIKE ?", tenantID, prefix+"%").Find(&list).Error; err != nil {
		return err
	}
	for _, old := range list {
		key, err := s.Tenants.NumberKey(ctx, tenantID, old.Number)
		if err != nil {
			return err
		}
		if key == old.NumberKey {
			continue
		}
		now := old
		now.NumberKey = key
		if err := s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&now).Error; err != nil {
			return err
		}
		if err := s.q(ctx).Where("tenant_id = ? AND number_key = ? AND source = ?", tenantID, old.NumberKey, old.Source).
			Delete(&Suppression{}).Error; err != nil {
			return err
		}
	}
	return nil
}

// folded is what a user is searched by, joined by a character that no
// folded text has.
func (u User) folded() string { return text.Fold(u.Name) + "\n" + text.Fold(u.Email) }
