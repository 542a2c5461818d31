package jobs

import (
	"context"
	"errors"
)

// Sweep runs one sweep, resumes what stands still, and updates the warnings of
// schedules if that was not done within the last minute.
func (r *Runner) Sweep(ctx context.Context) error {
	s := sweeper{r}
	err := errors.Join(s.sweep(ctx), s.recoverStalled(ctx))
	r.recovering.running.Wait()
	return errors.Join(err, s.runIfDue(ctx, fleetRound{"warn schedules", warnInterval, s.warnSchedules}, 0))
}
