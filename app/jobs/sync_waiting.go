package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// syncWaiting tells the CRM's timeline of a hold.
func (r *Runner) syncWaiting(ctx context.Context, j queue.SyncWaiting) error {
	return r.Timelines.SyncWaiting(ctx, j.TenantID, j.BatchID)
}
