package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// prepareBatch resolves a batch's recipients into
// messages. It goes on in another run when its time is up.
func (r *Runner) prepareBatch(ctx context.Context, j queue.PrepareBatch) error {
	return r.resumable(ctx, func(ctx context.Context) error {
		_, err := r.Audience.Prepare(ctx, j.TenantID, j.BatchID)
		return err
	})
}

// prepareStalledBatches prepares batches whose job died, in the background: it
// returns without waiting for the CRM.
func (s sweeper) prepareStalledBatches(ctx context.Context) error {
	stalled, err := s.Store.Batches.StalledPreparingAllTenants(ctx, s.Now().Add(-stalledAfter), maxStalled)
	for _, b := range stalled {
		s.recovering.start("batch "+b.ID, func() {
			if _, err := s.Audience.Prepare(ctx, b.TenantID, b.ID); err != nil {
				s.Log.Warn("prepare stalled batch failed", "tenant", b.TenantID, "batch", b.ID, "err", err)
			}
		})
	}
	return err
}
