package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// recordCancelled stores the people of a batch
// that was cancelled before it was prepared.
func (r *Runner) recordCancelled(ctx context.Context, j queue.RecordCancelled) error {
	return r.resumable(ctx, func(ctx context.Context) error {
		return r.Audience.RecordCancelled(ctx, j.TenantID, j.BatchID)
	})
}
