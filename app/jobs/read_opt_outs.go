package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

const optOutsInterval = time.Hour

// readOptOuts reads Dialpad's list of numbers that said STOP.
func (r *Runner) readOptOuts(ctx context.Context, j queue.ReadOptOuts) error {
	_, err := r.OptOuts.ReadList(ctx, j.TenantID)
	return err
}

// dueOptOutRead returns the job that reads the list again each hour.
func (s sweeper) dueOptOutRead(conn models.Connection) []river.JobArgs {
	if !conn.Usable() || !s.isOlder(conn.OptOutsAt, optOutsInterval, conn.TenantID) {
		return nil
	}
	return []river.JobArgs{queue.ReadOptOuts{TenantID: conn.TenantID}}
}
