package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// readStaleAccounts reads the accounts again that a change-log event
// named, and updates the warnings of the schedules that they concern.
func (r *Runner) readStaleAccounts(ctx context.Context, j queue.ReadStaleAccounts) error {
	if err := ignoreDisconnected(r.resumable(ctx, func(ctx context.Context) error {
		_, err := r.Accounts.ReadStale(ctx, j.TenantID)
		return err
	})); err != nil {
		return err
	}
	_, err := r.Batches.Scheduler.WarnTenant(ctx, j.TenantID)
	return err
}

// enqueueStaleAccounts enqueues a read for each tenant with stale accounts.
func (s sweeper) enqueueStaleAccounts(ctx context.Context) error {
	tenants, err := s.Store.Accounts.TenantsWithStaleAllTenants(ctx)
	if err != nil {
		return err
	}
	return enqueueForTenants(ctx, s.Store, tenants, func(id string) queue.ReadStaleAccounts {
		return queue.ReadStaleAccounts{TenantID: id}
	})
}
