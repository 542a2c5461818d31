package models

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Account states in Dialpad's spelling. Any other state is stored as it
// is, and such an account can't text.
const (
	AccountActive    = "active"
	AccountSuspended = "suspended"
	AccountPending   = "pending"
	AccountDeleted   = "deleted"
	AccountCancelled = "cancelled"
)

// Account is the stored copy of a Dialpad user.
type Account struct {
	TenantID  string `gorm:"primaryKey"`
	DialpadID string `gorm:"primaryKey"`
	Name      string
	Email     string // first of Emails, lower case
	Number    string // E.164, "" for none
	State     string
	TimeZone  string
	Stale     bool // an event named this user since CheckedAt: read it before any send
	StaleAt   *time.Time
	CheckedAt time.Time // when it was last read from Dialpad
	ChangedAt time.Time // when State or Number last changed

	Emails []string `gorm:"-"` // set on what is read from Dialpad
}

// CanText reports whether the account is active and has a number.
func (a Account) CanText() bool { return canText(a.State, a.Number) }

func canText(state, number string) bool { return state == AccountActive && number != "" }

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

// ByEmail returns the account that an e-mail belongs to, or ErrNotFound.
// Of several, one that can text comes first, then the lowest id, so that
// the result does not depend on Dialpad's order.
func (s Accounts) ByEmail(ctx context.Context, tenantID, email string) (Account, error) {
	var accounts []Account
	err := s.s.q(ctx).Table("accounts a").Select("a.*").
		Joins("JOIN account_emails e ON e.tenant_id = a.tenant_id AND e.dialpad_id = a.dialpad_id").
		Where("a.tenant_id = ? AND e.email = ?", tenantID, FoldEmail(email)).Find(&accounts).Error
	if err != nil {
		return Account{}, err
	}
	if len(accounts) == 0 {
		return Account{}, database.ErrNotFound
	}
	best := accounts[0]
	for _, a := range accounts[1:] {
		if isPreferred(a, best) {
			best = a
		}
	}
	return best, nil
}

// isPreferred reports whether a, not b, is the account of an e-mail that
// both have.
func isPreferred(a, b Account) bool {
	if a.CanText() != b.CanText() {
		return a.CanText()
	}
	if (a.State == AccountActive) != (b.State == AccountActive) {
		return a.State == AccountActive
	}
	return len(a.DialpadID) < len(b.DialpadID) || len(a.DialpadID) == len(b.DialpadID) && a.DialpadID < b.DialpadID
}

// Get returns an account by Dialpad's id, or ErrNotFound.
func (s Accounts) Get(ctx context.Context, tenantID, dialpadID string) (Account, error) {
	var a Account
	return a, database.Translate(s.s.q(ctx).Take(&a, "tenant_id = ? AND dialpad_id = ?", tenantID, dialpadID).Error)
}

// MarkStale marks accounts to be read from Dialpad again.
func (s Accounts) MarkStale(ctx context.Context, tenantID string, dialpadIDs []string) error {
	if len(dialpadIDs) == 0 {
		return nil
	}
	return s.s.q(ctx).Model(&Account{}).Where("tenant_id = ? AND dialpad_id IN ?", tenantID, dialpadIDs).
		UpdateColumns(map[string]any{"stale": true, "stale_at": s.s.db.Now()}).Error
}

// CountStale counts the stale accounts.
func (s Accounts) CountStale(ctx context.Context, tenantID string) (int64, error) {
	var n int64
	return n, s.s.q(ctx).Model(&Account{}).Where("tenant_id = ? AND stale", tenantID).Count(&n).Error
}

// Stale returns up to limit stale accounts, the longest unread first.
func (s Accounts) Stale(ctx context.Context, tenantID string, limit int) ([]Account, error) {
	var out []Account
	return out, s.s.q(ctx).Where("tenant_id = ? AND stale", tenantID).Order("checked_at").Limit(limit).Find(&out).Error
}

// Unseen pages by id the accounts that a full directory read, begun at
// begun, did not return. They may be deleted at Dialpad.
func (s Accounts) Unseen(ctx context.Context, tenantID string, begun time.Time, after string, limit int) ([]Account, error) {
	var out []Account
	return out, s.s.q(ctx).Where("tenant_id = ? AND checked_at < ? AND state NOT IN ? AND dialpad_id > ?", tenantID, begun.UTC(),
		[]string{AccountDeleted, AccountCancelled}, after).Order("dialpad_id").Limit(limit).Find(&out).Error
}

// DeleteAll deletes a tenant's accounts.
func (s Accounts) DeleteAll(ctx context.Context, tenantID string) error {
	if err := s.s.q(ctx).Where("tenant_id = ?", tenantID).Delete(&accountEmail{}).Error; err != nil {
		return err
	}
	return s.s.q(ctx).Where("tenant_id = ?", tenantID).Delete(&Account{}).Error
}

// CountTexting counts the accounts for which CanText is true.
func (s Accounts) CountTexting(ctx context.Context, tenantID string) (int64, error) {
	var n int64
	return n, s.s.q(ctx).Model(&Account{}).Where("tenant_id = ? AND state = ? AND number <> ''", tenantID, AccountActive).
		Count(&n).Error
}

// AccountProblem returns the sentence that explains why an account can't
// text, "" when it can.
func AccountProblem(state, number string) string {
	switch {
	case strings.TrimSpace(state) == "":
		return "No Dialpad account found"
	case state == AccountActive && number == "":
		return "The Dialpad account has no phone number"
	case state == AccountActive:
		return ""
	case state == AccountPending:
		return "The Dialpad invitation has not been accepted yet"
	case state == AccountSuspended:
		return "The Dialpad account is suspended"
	case state == AccountDeleted, state == AccountCancelled:
		return "The Dialpad account was deleted"
	}
	return "The Dialpad account is not active (" + state + ")"
}

// StaleTenantsAllTenants returns the ids of tenants with stale accounts.
func (s Accounts) StaleTenantsAllTenants(ctx context.Context) ([]string, error) {
	var out []string
	return out, s.s.q(ctx).Model(&Account{}).Distinct("tenant_id").Where("stale").Pluck("tenant_id", &out).Error
}
