package jobs

import (
	"context"
	"time"

	"dialpad-texting/app/batch"
)

// warnInterval is how often all schedules are checked.
const warnInterval = time.Minute

// warnSchedules updates the warnings of schedules that are going to fail.
func (r *Runner) warnSchedules(ctx context.Context) error {
	now := r.Now()
	if last := r.warnedAt.Swap(now.UnixNano()); now.Sub(time.Unix(0, last)).Abs() < warnInterval {
		r.warnedAt.Store(last)
		return nil
	}
	n, err := r.Batches.Scheduler.WarnAllTenants(ctx)
	if n != (batch.WarningCounts{}) {
		r.Log.Info("updated schedule warnings", "warned", n.Warned, "cleared", n.Cleared, "moved", n.Moved, "asked", n.Refreshed)
	}
	return err
}
