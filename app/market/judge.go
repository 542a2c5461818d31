package market

import (
	"context"
	"errors"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Facts are what decides whether a tenant may text. Linkname only makes the link of a refusal.
type Facts struct {
	Plan            string
	InstallState    string // of models.Installation, "" when there is none
	ConnectionState string // of models.Connection, "" when there is none
	Ready           bool   // directory and subscriptions are in place
	Linkname        string
}

// Judge is the one answer to "may this tenant text now, and if not, why": nil means yes. Page, popup, automation and
// delivery all ask it.
func (m *Market) Judge(f Facts) *Refusal {
	switch {
	case !m.HasPlan(f.Plan):
		return m.connect(CodePlan, ledger.HeldPlan, f.Linkname, "The plan does not include Dialpad.")
	case f.InstallState != models.Installed:
		return m.connect(CodeInstall, ledger.HeldRemoved, f.Linkname, "The Dialpad app is not installed.")
	case f.ConnectionState == models.Broken:
		return m.connect(CodeConnect, ledger.HeldBroken, f.Linkname, "The connection to Dialpad is broken.")
	case f.ConnectionState != models.Connected:
		return m.connect(CodeConnect, ledger.HeldDisconnected, f.Linkname, "Dialpad is not connected.")
	case !f.Ready:
		return m.connect(CodeConnect, ledger.HeldBroken, f.Linkname, "Dialpad is still being connected.")
	}
	return nil
}

// TenantMay judges a tenant as it stands in the database. A broken connection's own sentence is the Reason.
func (m *Market) TenantMay(ctx context.Context, tenantID string) (*Refusal, error) {
	t, err := m.store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	refusal, _, err := m.judgeTenant(ctx, t)
	return refusal, err
}

// standing is what is stored of a tenant's app; what there never was is zero.
type standing struct {
	install    models.Installation
	connection models.Connection
}

func (m *Market) standing(ctx context.Context, tenantID string) (s standing, err error) {
	if s.install, err = m.store.Installations.Get(ctx, tenantID); err != nil && !errors.Is(err, models.ErrNotFound) {
		return s, err
	}
	if s.connection, err = m.store.Connections.Get(ctx, tenantID); err != nil && !errors.Is(err, models.ErrNotFound) {
		return s, err
	}
	return s, nil
}

func (m *Market) judgeTenant(ctx context.Context, t models.Tenant) (*Refusal, standing, error) {
	s, err := m.standing(ctx, t.ID)
	if err != nil {
		return nil, s, err
	}
	refusal := m.Judge(Facts{Plan: t.Plan, InstallState: s.install.State, ConnectionState: s.connection.State,
		Ready: s.connection.Ready, Linkname: t.Linkname})
	if refusal != nil && refusal.Code == CodeConnect && s.connection.State == models.Broken && s.connection.Reason != "" {
		refusal.Reason = s.connection.Reason
	}
	return refusal, s, nil
}

// UserMay judges the tenant, then the person: whoever logs in with this e-mail needs an active Dialpad account with a
// number. The account comes back also when it can't text.
func (m *Market) UserMay(ctx context.Context, tenantID, email string) (models.Account, *Refusal, error) {
	refusal, err := m.TenantMay(ctx, tenantID)
	if err != nil || refusal != nil {
		return models.Account{}, refusal, err
	}
	a, err := m.store.Accounts.ByEmail(ctx, tenantID, email)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return models.Account{}, nil, err
	}
	if !a.CanText() {
		return a, NoAccount(models.AccountProblem(a.State, a.Number)), nil
	}
	return a, nil, nil
}
