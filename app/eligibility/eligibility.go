// Package eligibility decides whether a tenant or a user may text now, and
// if not, why.
//
// Pages, popup, automation and delivery all ask it, so that everybody reads
// the same answer in the same words.
package eligibility

import (
	"context"
	"errors"

	"dialpad-texting/models"
)

// Config is what a Checker needs beside the store.
type Config struct {
	Plans      []string                     // plans that include Dialpad
	AppPageURL func(linkname string) string // the app's page in the tenant's CRM; nil = no links
}

// Checker checks plan, installation, connection and account. It is safe for
// concurrent use.
type Checker struct {
	store *models.Store
	users Users // nil = as stored
	cfg   Config
}

// New returns a Checker over a store.
func New(store *models.Store, cfg Config) *Checker { return &Checker{store: store, cfg: cfg} }

// CheckTenant reads a tenant's facts and checks them; nil means that it may
// text.
func (c *Checker) CheckTenant(ctx context.Context, tenantID string) (*Refusal, error) {
	t, err := c.store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	s, err := ReadState(ctx, c.store, tenantID)
	if err != nil {
		return nil, err
	}
	return c.CheckState(t, s), nil
}

// CheckUser checks the tenant, then the user: the e-mail must belong to an
// active Dialpad account with a number. The account is returned even if it
// can't text.
func (c *Checker) CheckUser(ctx context.Context, tenantID, email string) (models.Account, *Refusal, error) {
	refusal, err := c.CheckTenant(ctx, tenantID)
	if err != nil || refusal != nil {
		return models.Account{}, refusal, err
	}
	a, err := c.store.Accounts.ByEmail(ctx, tenantID, email)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return models.Account{}, nil, err
	}
	if !a.CanText() {
		return a, NoAccount(models.AccountProblem(a.State, a.Number)), nil
	}
	return a, nil, nil
}

// CheckInstalled checks plan and installation alone: what connecting needs.
func (c *Checker) CheckInstalled(ctx context.Context, t models.Tenant) (*Refusal, error) {
	s, err := ReadState(ctx, c.store, t.ID)
	if err != nil {
		return nil, err
	}
	return c.Check(Facts{Plan: t.Plan, InstallState: s.Installation.State,
		ConnectionState: models.Connected, Ready: true, Linkname: t.Linkname}), nil
}
