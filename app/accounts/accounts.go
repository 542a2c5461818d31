// Package accounts keeps a tenant's Dialpad people: found by e-mail, with
// their state and their numbers.
//
// Dialpad has no event for a deactivated user, so the directory is polled:
// whole on connect and hourly, user by user after a change-log event, and
// before a text when the stored state is old.
package accounts

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"dialpad-texting/app/connection"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/internal/ctxtime"
	"dialpad-texting/models"
)

// CRM lists the tenant's CRM users; crm.Client does.
type CRM interface {
	Users(ctx context.Context, t crm.Tenant, cursor string) (crm.UserPage, error)
}

// Accounts reads and stores the people of all tenants. It is safe for
// concurrent use.
type Accounts struct {
	store  *models.Store
	dp     *dialpad.Client
	tokens *connection.Tokens
	crm    CRM
	now    func() time.Time
	log    *slog.Logger
	flight singleflight.Group
	sleep  func(ctx context.Context, d time.Duration) error

	userLimiters, pageLimiters *limiters
	usersRead                  sync.Map // by tenant: when User last read the CRM's users
}

// New returns Accounts over a store. now nil is the store's clock, log nil
// is none.
func New(store *models.Store, dp *dialpad.Client, tokens *connection.Tokens, c CRM, now func() time.Time, log *slog.Logger) *Accounts {
	if now == nil {
		now = store.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Accounts{store: store, dp: dp, tokens: tokens, crm: c, now: now, log: log, sleep: ctxtime.Sleep,
		userLimiters: newLimiters(usersPerSecond, usersPerSecond), pageLimiters: newLimiters(pagesPerSecond, 1)}
}

// Counts is what one round read.
type Counts struct {
	Read    int // users in Dialpad's answers
	Changed int // whose state or number changed
	Gone    int // not found any more
}

func (c *Counts) add(o Counts) {
	c.Read += o.Read
	c.Changed += o.Changed
	c.Gone += o.Gone
}

// accountOf converts a Dialpad user to the stored form.
func accountOf(u dialpad.User) models.Account {
	return models.Account{DialpadID: u.ID, Name: u.DisplayName, Emails: u.Emails, Number: u.Number(), State: u.State, TimeZone: u.TimeZone}
}

// accountsOf leaves out users of another company: a token may span several.
func accountsOf(c models.Connection, users []dialpad.User) []models.Account {
	out := make([]models.Account, 0, len(users))
	for _, u := range users {
		if u.CompanyID == "" || u.CompanyID == c.CompanyID {
			out = append(out, accountOf(u))
		}
	}
	return out
}

// save stores accounts as Dialpad had them at readAt, with an audit entry
// for each change; models.ErrLost if the tenant has left that company.
func (a *Accounts) save(ctx context.Context, c models.Connection, readAt time.Time, list []models.Account) (Counts, error) {
	counts := Counts{Read: len(list)}
	err := a.store.Tx(ctx, func(tx *models.Store) error {
		now, err := tx.Connections.Get(ctx, c.TenantID)
		if err != nil {
			return err
		}
		if now.CompanyID != c.CompanyID || now.State == models.Disconnected {
			return models.ErrLost
		}
		changes, err := tx.Accounts.Save(ctx, c.TenantID, readAt, list)
		if err != nil {
			return err
		}
		counts.Changed = len(changes)
		for _, change := range changes {
			if err := tx.Audits.Add(ctx, c.TenantID, "", "account.changed", auditDetail(change)); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, err
}

// auditDetail describes a change without e-mail or number.
func auditDetail(c models.AccountChange) map[string]string {
	d := map[string]string{"dialpad_id": c.After.DialpadID}
	if c.Before.State != c.After.State {
		d["state_before"], d["state"] = c.Before.State, c.After.State
	}
	switch {
	case c.Before.Number == c.After.Number:
	case c.After.Number == "":
		d["number"] = "removed"
	case c.Before.Number == "":
		d["number"] = "added"
	default:
		d["number"] = "changed"
	}
	return d
}
