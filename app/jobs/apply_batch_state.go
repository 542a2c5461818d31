package jobs

import (
	"context"

	"github.com/riverqueue/river"

	"dialpad-texting/models/queue"
)

// applyBatchState applies a batch's pause,
// hold, cancel or resume to its messages.
func (r *Runner) applyBatchState(ctx context.Context, j queue.ApplyBatchState) error {
	_, err := r.Batches.ApplyState(ctx, j.TenantID, j.BatchID)
	return err
}

// enqueueBatchStates enqueues the batches whose
// messages were left in an older state of the batch.
func (s sweeper) enqueueBatchStates(ctx context.Context) error {
	batches, err := s.Store.Batches.OrphanedAllTenants(ctx, s.Now().Add(-stalledAfter), 100)
	if err != nil {
		return err
	}
	jobs := make([]river.JobArgs, len(batches))
	for i, b := range batches {
		jobs[i] = queue.ApplyBatchState{TenantID: b.TenantID, BatchID: b.ID}
	}
	return s.Store.Enqueue(ctx, jobs...)
}
