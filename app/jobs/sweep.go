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

// sweeper runs the sweep with what the Runner holds.
type sweeper struct{ *Runner }

// sweep finds work whose job was lost, what has become old, and
// what must be forgotten. Nothing depends on a job being there.
//
// Stalled events and batches are processed right here. As jobs they would wait:
// the job that died still counts as running, and keeps a second one out of the
// queue. They come last, since a CRM that hangs may take all the time there is.
func (s sweeper) sweep(ctx context.Context) error {
	var errs []error
	for _, step := range []func(context.Context) error{
		s.enqueueStaleAccounts,
		s.enqueueBatchStates,
		s.enqueueSilentConnections,
		s.finishStalledBatches,
		s.Automation.EnqueueStalled,
		s.enqueueForConnections,
		s.warnSchedules,
		s.expire,
		s.processStalledEvents,
		s.prepareStalledBatches,
	} {
		errs = append(errs, step(ctx))
	}
	return errors.Join(errs...)
}

// enqueueForConnections enqueues what is due for each connection.
func (s sweeper) enqueueForConnections(ctx context.Context) error {
	for after := ""; ; {
		page, err := s.Store.Connections.ListAllTenants(ctx, after, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, conn := range page {
			after = conn.TenantID
			due := slices.Concat(s.unfinishedConnect(conn), s.dueDirectorySync(conn), s.dueOptOutRead(conn), s.dueConnectionCheck(conn))
			if err := s.Store.Enqueue(ctx, due...); err != nil {
				return err
			}
		}
	}
}

// isOlder reports whether a time is longer ago than age, plus a jitter of the
// tenant's own that spreads the tenants over a sixth of age. nil is older.
func (s sweeper) isOlder(at *time.Time, age time.Duration, tenantID string) bool {
	return at == nil || s.Now().Sub(*at) > age+jitter(tenantID, age/6)
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
func (s sweeper) finishStalledBatches(ctx context.Context) error {
	return s.Store.Batches.FinishStalledAllTenants(ctx, s.Now().Add(-stalledAfter))
}

// expire ends what was held too long and deletes what is past its retention.
func (s sweeper) expire(ctx context.Context) error {
	_, err := s.Batches.Scheduler.ExpireHeldAllTenants(ctx, 100)
	_, err2 := s.Connector.ExpireAttempts(ctx)
	n, err3 := s.Store.DeleteExpiredAllTenants(ctx)
	if n > 0 {
		s.Log.Debug("deleted expired rows", "rows", n)
	}
	return errors.Join(err, err2, err3)
}
