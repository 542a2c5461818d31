package jobs

import (
	"context"

	"dialpad-texting/models"
)

// readStaleAccounts reads the accounts again that a change-log event
// named, and updates the warnings of the schedules that they concern.
func (r *Runner) readStaleAccounts(ctx context.Context, j models.ReadStaleAccounts) error {
	if err := ignoreDisconnected(resumable(ctx, func(ctx context.Context) error {
		_, err := r.Accounts.ReadStale(ctx, j.TenantID)
		return err
	})); err != nil {
		return err
	}
	_, err := r.Batches.Scheduler.WarnTenant(ctx, j.TenantID)
	return err
}

// enqueueStaleAccounts enqueues a read for each tenant with stale accounts.
func (r *Runner) enqueueStaleAccounts(ctx context.Context) error {
	tenants, err := r.Store.StaleTenantsAllTenants(ctx)
	if err != nil {
		return err
	}
	return enqueueForTenants(ctx, r.Store, tenants, func(id string) models.ReadStaleAccounts {
		return models.ReadStaleAccounts{TenantID: id}
	})
}
