package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

const directoryInterval = time.Hour

// syncDirectory reads all Dialpad users of a tenant's company again.
func (r *Runner) syncDirectory(ctx context.Context, j queue.SyncDirectory) error {
	return ignoreDisconnected(r.readDirectory(ctx, j.TenantID))
}

func (r *Runner) readDirectory(ctx context.Context, tenantID string) error {
	return r.resumable(ctx, func(ctx context.Context) error {
		_, err := r.Accounts.SyncDirectory(ctx, tenantID)
		return err
	})
}

// dueDirectorySync returns the jobs that read people again each
// hour: neither Dialpad nor the CRM reports every change by itself.
func (s sweeper) dueDirectorySync(conn models.Connection) []river.JobArgs {
	if !conn.Usable() || !s.isOlder(conn.DirectoryAt, directoryInterval, conn.TenantID) {
		return nil
	}
	return []river.JobArgs{queue.SyncDirectory{TenantID: conn.TenantID}, queue.SyncUsers{TenantID: conn.TenantID}}
}
