package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// syncUsers reads the CRM's users. The sweep enqueues it together with
// SyncDirectory.
func (r *Runner) syncUsers(ctx context.Context, j queue.SyncUsers) error {
	_, err := r.Accounts.SyncUsers(ctx, j.TenantID)
	return err
}
