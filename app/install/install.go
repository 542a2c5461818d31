// Package install is the app in a tenant's CRM: its installation and
// removal, its settings, and the status that its page shows.
package install

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
)

// RemovedReason is shown on batches that a removal cancels.
const RemovedReason = "The Dialpad app was removed"

// Installer installs, configures and removes the app for all tenants. It is
// safe for concurrent use.
type Installer struct {
	store       *models.Store
	eligible    *eligibility.Checker
	connections *connection.Connections
	clock       func() time.Time
}

// New returns an Installer. now nil is the store's clock.
func New(store *models.Store, eligible *eligibility.Checker, connections *connection.Connections, now func() time.Time) *Installer {
	if now == nil {
		now = store.Now
	}
	return &Installer{store: store, eligible: eligible, connections: connections, clock: now}
}

func (i *Installer) now() time.Time { return i.clock().UTC() }

// Install installs the app for a tenant whose plan includes Dialpad; for
// others it returns the refusal plan_required and creates nothing. A
// second Install does nothing. Only CRM admins get here: the routes in
// handlers check the role.
func (i *Installer) Install(ctx context.Context, t models.Tenant, userID string) (*eligibility.Refusal, error) {
	if refusal := i.eligible.CheckPlan(t.Plan, t.Linkname); refusal != nil {
		return refusal, nil
	}
	return nil, i.store.Tx(ctx, func(tx *models.Store) error {
		created, err := tx.Installations.Install(ctx, t.ID, userID)
		if err != nil || !created {
			return err
		}
		return tx.Audits.Add(ctx, t.ID, userID, "app.installed", map[string]string{"plan": t.Plan})
	})
}

// Remove disconnects and uninstalls; open batches are cancelled, and all
// sessions of the tenant end but those whose token hashes are in keep: the
// page that asks shows what comes next.
func (i *Installer) Remove(ctx context.Context, tenantID, userID string, keep ...string) error {
	return i.connections.DisconnectInTx(ctx, tenantID, userID, "app.removed", func(tx *models.Store) (removed bool, err error) {
		old, err := tx.Installations.Get(ctx, tenantID)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return false, err
		}
		if _, err := tx.Batches.Cancel(ctx, tenantID, "", RemovedReason); err != nil {
			return false, err
		}
		if err := tx.Sessions.EndAll(ctx, tenantID, keep...); err != nil {
			return false, err
		}
		return old.State == models.Installed, tx.Installations.Uninstall(ctx, tenantID)
	})
}
