package eligibility

import (
	"context"
	"errors"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Facts decide whether a tenant may text. Linkname only makes the link of a
// refusal.
type Facts struct {
	Plan            string
	InstallState    string // of models.Installation, "" when there is none
	ConnectionState string // of models.Connection, "" when there is none
	Ready           bool   // directory and subscriptions are in place
	Linkname        string
}

// Check returns why a tenant with these facts may not text, nil if it may.
func (c *Checker) Check(f Facts) *Refusal {
	switch {
	case !c.HasPlan(f.Plan):
		return c.CheckPlan(f.Plan, f.Linkname)
	case f.InstallState != models.Installed:
		return c.refuse(CodeInstall, ledger.HeldUninstalled, f.Linkname, "The Dialpad app is not installed.")
	case f.ConnectionState == models.Broken:
		return c.refuse(CodeConnect, ledger.HeldBroken, f.Linkname, "The connection to Dialpad is broken.")
	case f.ConnectionState != models.Connected:
		return c.refuse(CodeConnect, ledger.HeldDisconnected, f.Linkname, DisconnectedReason)
	case !f.Ready:
		return c.refuse(CodeConnect, ledger.HeldBroken, f.Linkname, "Dialpad is still being connected.")
	}
	return nil
}

// State is what is stored of a tenant's app; zero where there is nothing.
type State struct {
	Installation models.Installation
	Connection   models.Connection
}

// ReadState reads a tenant's installation and connection.
func ReadState(ctx context.Context, store *models.Store, tenantID string) (s State, err error) {
	if s.Installation, err = store.Installations.Get(ctx, tenantID); err != nil && !errors.Is(err, models.ErrNotFound) {
		return s, err
	}
	if s.Connection, err = store.Connections.Get(ctx, tenantID); err != nil && !errors.Is(err, models.ErrNotFound) {
		return s, err
	}
	return s, nil
}

// CheckState is Check for a tenant's stored state. The Reason of a broken
// connection is the connection's own.
func (c *Checker) CheckState(t models.Tenant, s State) *Refusal {
	refusal := c.Check(Facts{Plan: t.Plan, InstallState: s.Installation.State,
		ConnectionState: s.Connection.State, Ready: s.Connection.Ready, Linkname: t.Linkname})
	if refusal != nil && refusal.Code == CodeConnect && s.Connection.State == models.Broken && s.Connection.Reason != "" {
		refusal.Reason = s.Connection.Reason
	}
	return refusal
}
