package models

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm/clause"
)

// AccountChange is an account whose state or number changed.
type AccountChange struct{ Before, After Account }

// Save stores accounts as Dialpad returned them at readAt, and returns
// those whose state or number changed. Dialpad returns a deleted user
// without e-mails: the stored ones stay, so that the reason can still be
// shown to that person. The number of statements grows with pages of 200,
// not with accounts.
func (s Accounts) Save(ctx context.Context, tenantID string, readAt time.Time, accounts []Account) ([]AccountChange, error) {
	var changes []AccountChange
	err := s.s.Tx(ctx, func(tx *Store) error {
		changes = nil
		for page := range slices.Chunk(lastByID(accounts), 200) {
			changed, err := tx.Accounts.savePage(ctx, tenantID, readAt.UTC(), page)
			if err != nil {
				return err
			}
			changes = append(changes, changed...)
		}
		return nil
	})
	return changes, err
}

// lastByID returns the last entry of each account, sorted by id. One
// statement can't write a row twice, and two transactions that lock rows
// in different orders deadlock.
func lastByID(accounts []Account) []Account {
	last := map[string]Account{}
	for _, a := range accounts {
		last[a.DialpadID] = a
	}
	return slices.SortedFunc(maps.Values(last), func(a, b Account) int { return strings.Compare(a.DialpadID, b.DialpadID) })
}

func (s Accounts) savePage(ctx context.Context, tenantID string, readAt time.Time, page []Account) ([]AccountChange, error) {
	stored, err := s.lock(ctx, tenantID, page)
	if err != nil {
		return nil, err
	}
	rows, changes := mergeAccounts(tenantID, readAt, page, stored)
	if len(rows) == 0 {
		return nil, nil
	}
	if err := s.s.q(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "tenant_id"}, {Name: "dialpad_id"}}, UpdateAll: true}).Create(&rows).Error; err != nil {
		return nil, err
	}
	return changes, s.saveEmails(ctx, tenantID, rows)
}

// lock returns the stored accounts of a page by id, locked until the
// transaction ends.
func (s Accounts) lock(ctx context.Context, tenantID string, page []Account) (map[string]Account, error) {
	ids := make([]string, len(page))
	for i, a := range page {
		ids[i] = a.DialpadID
	}
	var accounts []Account
	err := s.s.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("tenant_id = ? AND dialpad_id IN ?", tenantID, ids).
		Order("dialpad_id").Find(&accounts).Error
	stored := make(map[string]Account, len(accounts))
	for _, a := range accounts {
		stored[a.DialpadID] = a
	}
	return stored, err
}

// mergeAccounts returns the rows to write for a page that was read at
// readAt, and which accounts changed.
func mergeAccounts(tenantID string, readAt time.Time, page []Account, stored map[string]Account) (rows []Account, changes []AccountChange) {
	for _, a := range page {
		a.TenantID, a.CheckedAt, a.ChangedAt, a.Stale, a.StaleAt = tenantID, readAt, readAt, false, nil
		for i, e := range a.Emails {
			a.Emails[i] = FoldEmail(e)
		}
		if len(a.Emails) > 0 {
			a.Email = a.Emails[0]
		}
		before, isStored := stored[a.DialpadID]
		if isStored && before.CheckedAt.After(a.CheckedAt) {
			continue // a newer answer was stored first
		}
		if isStored && a.keepStored(before) {
			changes = append(changes, AccountChange{Before: before, After: a})
		}
		rows = append(rows, a)
	}
	return rows, changes
}

// keepStored copies from the stored account what the new one lacks, and
// reports whether state or number changed.
func (a *Account) keepStored(before Account) (changed bool) {
	if changed = before.State != a.State || before.Number != a.Number; !changed {
		a.ChangedAt = before.ChangedAt
	}
	if before.Stale && before.StaleAt != nil && before.StaleAt.After(a.CheckedAt) {
		a.Stale, a.StaleAt = true, before.StaleAt // the event is newer than this answer
	}
	if len(a.Emails) == 0 {
		a.Email = before.Email
	}
	return changed
}

type accountEmail struct{ TenantID, Email, DialpadID string }

func (accountEmail) TableName() string { return "account_emails" }

// saveEmails writes only the differences: this runs hourly over thousands
// of accounts, and few of them change.
func (s Accounts) saveEmails(ctx context.Context, tenantID string, rows []Account) error {
	missing, ids := map[accountEmail]bool{}, []string{}
	for _, a := range rows {
		if len(a.Emails) == 0 {
			continue
		}
		ids = append(ids, a.DialpadID)
		for _, e := range a.Emails {
			missing[accountEmail{TenantID: tenantID, Email: e, DialpadID: a.DialpadID}] = true
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var stored []accountEmail
	if err := s.s.q(ctx).Where("tenant_id = ? AND dialpad_id IN ?", tenantID, ids).Find(&stored).Error; err != nil {
		return err
	}
	for _, e := range stored {
		if missing[e] {
			delete(missing, e)
		} else if err := s.s.q(ctx).Where("tenant_id = ? AND email = ? AND dialpad_id = ?", tenantID, e.Email, e.DialpadID).
			Delete(&accountEmail{}).Error; err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	rowsToAdd := slices.Collect(maps.Keys(missing))
	return s.s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&rowsToAdd, 200).Error
}
