package jobs

import (
	"context"

	"dialpad-texting/models"
)

// syncUsers reads the CRM's users. The sweep enqueues it together with
// SyncDirectory.
func (r *Runner) syncUsers(ctx context.Context, j models.SyncUsers) error {
	_, err := r.Accounts.SyncUsers(ctx, j.TenantID)
	return err
}
