package jobs

import (
	"context"
	"time"

	"dialpad-texting/app/batch"
)

// warnInterval is how often all schedules are checked.
const warnInterval = time.Minute

// warnSchedules updates the warnings of schedules that are going to fail. It
// may ask the CRM for its users.
func (s sweeper) warnSchedules(ctx context.Context) error {
	n, err := s.Batches.Scheduler.WarnAllTenants(ctx)
	if n != (batch.WarningCounts{}) {
		s.Log.Info("updated schedule warnings", "warned", n.Warned, "cleared", n.Cleared, "moved", n.Moved, "asked", n.Refreshed)
	}
	return err
}
