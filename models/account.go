package models

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"dialpad-texting/models/database"

	"gorm.io/gorm/clause"
)

// Account states, as Dialpad has them; any other word is kept and can't text.
const (
	AccountActive    = "active"
	AccountSuspended = "suspended"
	AccountPending   = "pending"
	AccountDeleted   = "deleted"
	AccountCancelled = "cancelled"
)

// Account is a Dialpad user as we know it.
type Account struct {
	TenantID  string `gorm:"primaryKey"`
	DialpadID string `gorm:"primaryKey"`
	Name      string
	Email     string // the first of its e-mails, lower case
	Number    string // E.164, "" when it has none
	State     string
	TimeZone  string
	Stale     bool // an event spoke of this user since it was read: read it before any send
	StaleAt   *time.Time
	CheckedAt time.Time
	ChangedAt time.Time // when State or Number last changed

	Emails []string `gorm:"-"` // all of them, when it comes from Dialpad
}

// CanText tells whether texts may go out from this account: active, with a number.
func (a Account) CanText() bool { return canText(a.State, a.Number) }

func canText(state, number string) bool { return state == AccountActive && number != "" }

// AccountChange is an account whose state or number is another than before.
type AccountChange struct{ Before, After Account }

// SaveAccounts stores accounts as Dialpad told them at a time, and returns which ones changed. A deleted user comes
// without e-mails: those known before stay, so that the person can still be told why. Statements count by pages, not by
// accounts.
func (s Accounts) Save(ctx context.Context, tenantID string, read time.Time, accounts []Account) ([]AccountChange, error) {
	var changes []AccountChange
	err := s.s.Tx(ctx, func(tx *Store) error {
		for page := range slices.Chunk(lastOfEach(accounts), 200) {
			changed, err := tx.Accounts.savePage(ctx, tenantID, read.UTC(), page)
			if err != nil {
				return err
			}
			changes = append(changes, changed...)
		}
		return nil
	})
	return changes, err
}

// lastOfEach keeps the last word on each account, by id: one statement can't write a row twice, and two that lock rows
// in different orders wait for each other.
func lastOfEach(accounts []Account) []Account {
	last := map[string]Account{}
	for _, a := range accounts {
		last[a.DialpadID] = a
	}
	return slices.SortedFunc(maps.Values(last), func(a, b Account) int { return strings.Compare(a.DialpadID, b.DialpadID) })
}

func (s Accounts) savePage(ctx context.Context, tenantID string, read time.Time, page []Account) ([]AccountChange, error) {
	known, err := s.lock(ctx, tenantID, page)
	if err != nil {
		return nil, err
	}
	var changes []AccountChange
	var rows []Account
	for _, a := range page {
		a.TenantID, a.CheckedAt, a.ChangedAt, a.Stale, a.StaleAt = tenantID, read, read, false, nil
		for i, e := range a.Emails {
			a.Emails[i] = FoldEmail(e)
		}
		if len(a.Emails) > 0 {
			a.Email = a.Emails[0]
		}
		if before, ok := known[a.DialpadID]; ok {
			if before.CheckedAt.After(a.CheckedAt) {
				continue // an answer that overtook this one is newer
			}
			if a.follow(before) {
				changes = append(changes, AccountChange{Before: before, After: a})
			}
		}
		rows = append(rows, a)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	if err := s.s.q(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "tenant_id"}, {Name: "dialpad_id"}}, UpdateAll: true}).Create(&rows).Error; err != nil {
		return nil, err
	}
	return changes, s.saveEmails(ctx, tenantID, rows)
}

func (s Accounts) lock(ctx context.Context, tenantID string, page []Account) (map[string]Account, error) {
	ids := make([]string, len(page))
	for i, a := range page {
		ids[i] = a.DialpadID
	}
	var old []Account
	err := s.s.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("tenant_id = ? AND dialpad_id IN ?", tenantID, ids).
		Order("dialpad_id").Find(&old).Error
	known := make(map[string]Account, len(old))
	for _, a := range old {
		known[a.DialpadID] = a
	}
	return known, err
}

// follow takes over what stays of what was known before, and tells whether state or number changed.
func (a *Account) follow(before Account) (changed bool) {
	if changed = before.State != a.State || before.Number != a.Number; !changed {
		a.ChangedAt = before.ChangedAt
	}
	if before.Stale && before.StaleAt != nil && before.StaleAt.After(a.CheckedAt) {
		a.Stale, a.StaleAt = true, before.StaleAt // the event came after this answer was asked for
	}
	if len(a.Emails) == 0 {
		a.Email = before.Email
	}
	return changed
}

type accountEmail struct{ TenantID, Email, DialpadID string }

func (accountEmail) TableName() string { return "account_emails" }

// saveEmails writes what differs: hourly, of thousands, hardly anything does.
func (s Accounts) saveEmails(ctx context.Context, tenantID string, rows []Account) error {
	want, ids := map[accountEmail]bool{}, []string{}
	for _, a := range rows {
		if len(a.Emails) == 0 {
			continue
		}
		ids = append(ids, a.DialpadID)
		for _, e := range a.Emails {
			want[accountEmail{TenantID: tenantID, Email: e, DialpadID: a.DialpadID}] = true
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var have []accountEmail
	if err := s.s.q(ctx).Where("tenant_id = ? AND dialpad_id IN ?", tenantID, ids).Find(&have).Error; err != nil {
		return err
	}
	for _, e := range have {
		if want[e] {
			delete(want, e)
		} else if err := s.s.q(ctx).Where("tenant_id = ? AND email = ? AND dialpad_id = ?", tenantID, e.Email, e.DialpadID).
			Delete(&accountEmail{}).Error; err != nil {
			return err
		}
	}
	if len(want) == 0 {
		return nil
	}
	fresh := slices.Collect(maps.Keys(want))
	return s.s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&fresh, 200).Error
}

// AccountByEmail returns the account that an e-mail stands for: one that may text before one that can't, the oldest
// id first among equals, so that the answer does not depend on the order Dialpad lists them in.
func (s Accounts) ByEmail(ctx context.Context, tenantID, email string) (Account, error) {
	var found []Account
	err := s.s.q(ctx).Table("accounts a").Select("a.*").
		Joins("JOIN account_emails e ON e.tenant_id = a.tenant_id AND e.dialpad_id = a.dialpad_id").
		Where("a.tenant_id = ? AND e.email = ?", tenantID, FoldEmail(email)).Find(&found).Error
	if err != nil {
		return Account{}, err
	}
	if len(found) == 0 {
		return Account{}, database.ErrNotFound
	}
	best := found[0]
	for _, a := range found[1:] {
		if better(a, best) {
			best = a
		}
	}
	return best, nil
}

func better(a, b Account) bool {
	if a.CanText() != b.CanText() {
		return a.CanText()
	}
	if (a.State == AccountActive) != (b.State == AccountActive) {
		return a.State == AccountActive
	}
	return len(a.DialpadID) < len(b.DialpadID) || len(a.DialpadID) == len(b.DialpadID) && a.DialpadID < b.DialpadID
}

// Account returns an account by Dialpad's id.
func (s Accounts) Get(ctx context.Context, tenantID, dialpadID string) (Account, error) {
	var a Account
	return a, database.Translate(s.s.q(ctx).Take(&a, "tenant_id = ? AND dialpad_id = ?", tenantID, dialpadID).Error)
}

// MarkStale marks accounts that an event named.
func (s Accounts) MarkStale(ctx context.Context, tenantID string, dialpadIDs []string) error {
	if len(dialpadIDs) == 0 {
		return nil
	}
	return s.s.q(ctx).Model(&Account{}).Where("tenant_id = ? AND dialpad_id IN ?", tenantID, dialpadIDs).
		UpdateColumns(map[string]any{"stale": true, "stale_at": s.s.db.Now()}).Error
}

// CountStale counts the accounts to read again.
func (s Accounts) CountStale(ctx context.Context, tenantID string) (int64, error) {
	var n int64
	return n, s.s.q(ctx).Model(&Account{}).Where("tenant_id = ? AND stale", tenantID).Count(&n).Error
}

// StaleAccounts returns the accounts to read again.
func (s Accounts) Stale(ctx context.Context, tenantID string, limit int) ([]Account, error) {
	var out []Account
	return out, s.s.q(ctx).Where("tenant_id = ? AND stale", tenantID).Order("checked_at").Limit(limit).Find(&out).Error
}

// UnseenAccounts returns accounts that a whole directory, begun at a time, did not name; they may be gone.
func (s Accounts) Unseen(ctx context.Context, tenantID string, begun time.Time, after string, limit int) ([]Account, error) {
	var out []Account
	return out, s.s.q(ctx).Where("tenant_id = ? AND checked_at < ? AND state NOT IN ? AND dialpad_id > ?", tenantID, begun.UTC(),
		[]string{AccountDeleted, AccountCancelled}, after).Order("dialpad_id").Limit(limit).Find(&out).Error
}

// ForgetAccounts removes a tenant's accounts, when another company was connected.
func (s Accounts) DeleteAll(ctx context.Context, tenantID string) error {
	if err := s.s.q(ctx).Where("tenant_id = ?", tenantID).Delete(&accountEmail{}).Error; err != nil {
		return err
	}
	return s.s.q(ctx).Where("tenant_id = ?", tenantID).Delete(&Account{}).Error
}

// CountTexting counts the accounts that may text.
func (s Accounts) CountTexting(ctx context.Context, tenantID string) (int64, error) {
	var n int64
	return n, s.s.q(ctx).Model(&Account{}).Where("tenant_id = ? AND state = ? AND number <> ''", tenantID, AccountActive).
		Count(&n).Error
}

// AccountWords says in plain words why an account can't text, "" when it can.
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

// StaleTenantsAllTenants returns tenants that have accounts to read again.
func (s Accounts) StaleTenantsAllTenants(ctx context.Context) ([]string, error) {
	var out []string
	return out, s.s.q(ctx).Model(&Account{}).Distinct("tenant_id").Where("stale").Pluck("tenant_id", &out).Error
}
