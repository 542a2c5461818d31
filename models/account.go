package models

import (
	"context"
	"strings"
	"time"

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

// LacksNumber reports whether an account could text if it had a number.
func (a Account) LacksNumber() bool { return a.State == AccountActive && a.Number == "" }

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

// TenantsWithStaleAllTenants returns the ids of tenants with stale accounts.
func (s Accounts) TenantsWithStaleAllTenants(ctx context.Context) ([]string, error) {
	var out []string
	return out, s.s.q(ctx).Model(&Account{}).Distinct("tenant_id").Where("stale").Pluck("tenant_id", &out).Error
}

// OwnNumbers returns those of the numbers (E.164) that are accounts'.
func (s Accounts) OwnNumbers(ctx context.Context, tenantID string, numbers []string) (map[string]bool, error) {
	var found []string
	err := s.s.q(ctx).Model(&Account{}).Where("tenant_id = ? AND number IN ?", tenantID, numbers).Pluck("number", &found).Error
	out := make(map[string]bool, len(found))
	for _, n := range found {
		out[n] = true
	}
	return out, err
}
