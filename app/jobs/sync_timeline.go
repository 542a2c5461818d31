package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// syncTimeline sends the CRM's timeline what became of a tenant's texts.
func (r *Runner) syncTimeline(ctx context.Context, j queue.SyncTimeline) error {
	_, err := r.Timeline.SyncPending(ctx, j.TenantID)
	return err
}

// enqueueTimelineSyncs enqueues a sync for each tenant with pending changes.
func (s sweeper) enqueueTimelineSyncs(ctx context.Context) error {
	tenants, err := s.Store.Messages.TenantsToSyncAllTenants(ctx)
	if err != nil {
		return err
	}
	return enqueueForTenants(ctx, s.Store, tenants, func(id string) queue.SyncTimeline {
		return queue.SyncTimeline{TenantID: id}
	})
}
