package jobs

import (
	"context"
	"time"

	"dialpad-texting/app/batch"
)

// warnInterval is how often all schedules are checked.
const warnInterval = time.Minute

// warnSchedules updates the warnings of schedules that are going to fail.
func (s sweeper) warnSchedules(ctx context.Context) error {
	now := s.Now()
	if last := s.warnedAt.Swap(now.UnixNano()); now.Sub(time.Unix(0, last)).Abs() < warnInterval {
		s.warnedAt.Store(last)
		return nil
	}
	n, err := s.Batches.Scheduler.WarnAllTenants(ctx)
	if n != (batch.WarningCounts{}) {
		s.Log.Info("updated schedule warnings", "warned", n.Warned, "cleared", n.Cleared, "moved", n.Moved, "asked", n.Refreshed)
	}
	return err
}
