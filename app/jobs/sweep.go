package jobs

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/models"
)

const (
	sweepInterval    = 15 * time.Second
	sweepConcurrency = 8
	// stalledAfter is how long a batch may
	// stand still before the sweep resumes it.
	stalledAfter = 20 * time.Second
)

// sweep finds work whose job was lost, what has become old, and
// what must be forgotten. Nothing depends on a job being there.
//
// Stalled events and batches are processed right here. As jobs
// they would wait: the job that died still counts as running,
// and keeps a second one out of the queue. They come last,
// since a CRM that hangs may take all the time there is.
func (r *Runner) sweep(ctx context.Context) error {
	var errs []error
	for _, step := range []func(context.Context) error{
		r.enqueueStaleAccounts,
		r.enqueueBatchStates,
		r.enqueueSilentConnections,
		r.finishStalledBatches,
		r.Automation.EnqueueStalled,
		r.enqueueForConnections,
		r.warnSchedules,
		r.expire,
		r.processStalledEvents,
		r.prepareStalledBatches,
	} {
		errs = append(errs, step(ctx))
	}
	return errors.Join(errs...)
}

// enqueueForConnections enqueues what is due for each connection.
func (r *Runner) enqueueForConnections(ctx context.Context) error {
	for after := ""; ; {
		page, err := r.Store.Connections.ListAllTenants(ctx, after, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, conn := range page {
			after = conn.TenantID
			due := slices.Concat(r.unfinishedConnect(conn), r.dueDirectorySync(conn), r.dueOptOutRead(conn), r.dueConnectionCheck(conn))
			if err := r.Store.Enqueue(ctx, due...); err != nil {
				return err
			}
		}
	}
}

// isOlder reports whether a time is longer ago than
// age, plus a jitter of the tenant's own that spreads
// the tenants over a sixth of age. nil is older.
func (r *Runner) isOlder(at *time.Time, age time.Duration, tenantID string) bool {
	return at == nil || r.Now().Sub(*at) > age+jitter(tenantID, age/6)
}

// jitter is between 0 and span, always the same for a tenant.
func jitter(tenantID string, span time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenantID))
	return span * time.Duration(h.Sum32()%1000) / 1000
}

// enqueueForTenants enqueues a job for each of several tenants.
func enqueueForTenants[T river.JobArgs](ctx context.Context, store *models.Store, tenantIDs []string, job func(tenantID string) T) error {
	jobs := make([]river.JobArgs, len(tenantIDs))
	for i, id := range tenantIDs {
		jobs[i] = job(id)
	}
	return store.Enqueue(ctx, jobs...)
}

// finishStalledBatches ends batches whose
// last text ended in a process that died.
func (r *Runner) finishStalledBatches(ctx context.Context) error {
	return r.Store.Batches.FinishStalledAllTenants(ctx, r.Now().Add(-stalledAfter))
}

// expire ends what was held too long and deletes what is past its retention.
func (r *Runner) expire(ctx context.Context) error {
	_, err := r.Batches.Scheduler.ExpireHeldAllTenants(ctx, 100)
	_, err2 := r.Connector.ExpireAttempts(ctx)
	n, err3 := r.Store.DeleteExpiredAllTenants(ctx)
	if n > 0 {
		r.Log.Debug("deleted expired rows", "rows", n)
	}
	return errors.Join(err, err2, err3)
}
