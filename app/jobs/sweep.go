package jobs

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/models"
)

const (
	sweepInterval = 15 * time.Second
	// roundsInterval is how often each process looks whether a round is due,
	// and so how late a round may begin after its process has died.
	roundsInterval = time.Second
	// stalledAfter is how long a batch may
	// stand still before the sweep resumes it.
	stalledAfter = 20 * time.Second

	defaultAuditDays = 365
	maxAuditsDeleted = 2000 // in one sweep
)

// sweeper runs the sweep with what the Runner holds.
type sweeper struct{ *Runner }

// sweep finds work whose job was lost, what has become old, and
// what must be forgotten. Nothing depends on a job being there.
//
// It only reads and writes our own database. What calls Dialpad or the CRM
// itself, and may hang, is in recoverStalled.
func (s sweeper) sweep(ctx context.Context) error {
	var errs []error
	for _, step := range []func(context.Context) error{
		s.enqueueStaleAccounts,
		s.enqueueBatchStates,
		s.enqueueSilentConnections,
		s.finishStalledBatches,
		s.Automation.EnqueueStalled,
		s.enqueueForConnections,
		s.expire,
		s.Store.TruncateLog,
	} {
		errs = append(errs, step(ctx))
	}
	return errors.Join(errs...)
}

// fleetRound is a round that one process of the fleet runs at an interval.
type fleetRound struct {
	name     string
	interval time.Duration
	run      func(context.Context) error
}

func (s sweeper) fleetRounds() []fleetRound {
	interval := cmp.Or(s.SweepInterval, sweepInterval)
	return []fleetRound{
		{"sweep", interval, s.sweep},
		{"recover stalled", interval, s.recoverStalled},
		{"delete ended", interval, s.deleteEnded},
		{"warn schedules", warnInterval, s.warnSchedules},
	}
}

// runRounds runs the fleet's rounds until ctx ends. Each has a loop of its own:
// none waits for another, nor for a job.
func (s sweeper) runRounds(ctx context.Context) {
	var loops sync.WaitGroup
	for _, r := range s.fleetRounds() {
		tick := min(roundsInterval, r.interval/2)
		loops.Go(func() {
			s.every(ctx, tick, r.name+" failed", func(ctx context.Context) error { return s.runIfDue(ctx, r, tick/2) })
		})
	}
	loops.Wait()
	s.recovering.running.Wait()
}

// runIfDue runs a round unless another process has begun one within its
// interval. A round may begin early: else it would often be found due a tick
// late.
func (s sweeper) runIfDue(ctx context.Context, r fleetRound, early time.Duration) error {
	isDue, err := s.Store.Rounds.Begin(ctx, r.name, r.interval-early)
	if err != nil || !isDue {
		return err
	}
	return r.run(ctx)
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

// deleteEnded deletes the batches that ended longer ago than texts are kept.
func (s sweeper) deleteEnded(ctx context.Context) error {
	if s.Retention == 0 {
		return nil
	}
	n, err := s.Store.DeleteEndedAllTenants(ctx, s.Now().Add(-s.Retention))
	if n > 0 {
		s.Log.Debug("deleted ended batches and their texts", "rows", n)
	}
	return err
}

// expire ends what was held too long and deletes what has expired.
func (s sweeper) expire(ctx context.Context) error {
	_, err := s.Batches.Scheduler.ExpireHeldAllTenants(ctx, 100)
	_, err2 := s.Connector.ExpireAttempts(ctx)
	n, err3 := s.Store.DeleteExpiredAllTenants(ctx)
	audits, err4 := s.Store.Audits.DeleteOldAllTenants(ctx, s.Now().AddDate(0, 0, -cmp.Or(s.AuditDays, defaultAuditDays)), maxAuditsDeleted)
	if n += audits; n > 0 {
		s.Log.Debug("deleted expired rows", "rows", n)
	}
	return errors.Join(err, err2, err3, err4)
}
