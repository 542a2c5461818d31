package jobs

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"dialpad-texting/app/automation"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models/queue"
)

const (
	jobTimeout = 30 * time.Second
	// rescueAfter is when a dead worker's job runs again.
	// Every job is idempotent, so early is better than late.
	rescueAfter     = 60 * time.Second
	maxRetryDelay   = time.Minute
	fetchCooldown   = 20 * time.Millisecond
	fetchInterval   = 250 * time.Millisecond
	completedJobAge = time.Hour
)

// riverConfig returns River's configuration. Every process knows every kind of
// job, since a leader discards the stuck jobs of kinds it does not know.
func (r *Runner) riverConfig() *river.Config {
	// Workers that wait for Dialpad or the CRM cost next to nothing, and each
	// tenant gets only a part of them: see tenantGate.
	queues := map[string]river.QueueConfig{
		queue.Batches: {MaxWorkers: 8}, queue.Prepare: {MaxWorkers: 24}, queue.Prompt: {MaxWorkers: 32},
		queue.Automation: {MaxWorkers: 32}, queue.Sync: {MaxWorkers: 32}, queue.Background: {MaxWorkers: 16},
		queue.Sweeps: {MaxWorkers: 1}}
	return &river.Config{
		Workers: r.workers(), Queues: queues,
		Middleware:    []rivertype.Middleware{newTenantGate(r.Now, queues, queue.Batches)},
		FetchCooldown: fetchCooldown, FetchPollInterval: fetchInterval,
		JobTimeout: jobTimeout, RescueStuckJobsAfter: rescueAfter, SoftStopTimeout: stopTimeout / 2,
		RetryPolicy: retryPolicy{}, Logger: warningsOnly(r.Log),
		CompletedJobRetentionPeriod: completedJobAge,
	}
}

// workers names the handler of each job.
func (r *Runner) workers() *river.Workers {
	ws := river.NewWorkers()
	add(ws, r.finishConnect)
	add(ws, r.syncDirectory)
	add(ws, r.syncUsers)
	add(ws, r.readStaleAccounts)
	add(ws, r.checkConnection)
	add(ws, r.cleanGrant)
	add(ws, r.removeApp)
	add(ws, r.readOptOuts)
	add(ws, r.syncOptOut)
	add(ws, r.processEvent)
	add(ws, r.syncTimeline)
	add(ws, r.prepareBatch)
	add(ws, r.applyBatchState)
	add(ws, func(ctx context.Context, j queue.ForecastBatch) error {
		return r.Audience.CountForecast(ctx, j.TenantID, j.BatchID)
	})
	add(ws, r.recordCancelled)
	add(ws, func(ctx context.Context, j queue.SyncWaiting) error {
		return r.Timelines.SyncWaiting(ctx, j.TenantID, j.BatchID)
	})
	add(ws, r.processCallback)
	add(ws, r.completeCallback)
	add(ws, func(context.Context, queue.Sweep) error { return nil }) // of an older program; the sweep is no job any more
	return ws
}

// handler is a River worker made of a function.
type handler[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	handle func(context.Context, T) error
}

// Work implements river.Worker.
func (h *handler[T]) Work(ctx context.Context, job *river.Job[T]) error {
	return h.handle(ctx, job.Args)
}

func add[T river.JobArgs](ws *river.Workers, handle func(context.Context, T) error) {
	river.AddWorker(ws, &handler[T]{handle: handle})
}

// resumable gives work that can be resumed less than a job's timeout, and the
// rest of it another run: a dead worker's batch must not wait for long.
func (r *Runner) resumable(ctx context.Context, work func(context.Context) error) error {
	budget, cancel := context.WithTimeout(ctx, cmp.Or(r.JobBudget, jobTimeout*2/3))
	defer cancel()
	err := work(budget)
	if err != nil && ctx.Err() == nil && budget.Err() != nil {
		return river.JobSnooze(0)
	}
	return err
}

// snooze turns an automation's *Later into
// River's snooze, which costs no attempt.
func snooze(err error) error {
	var later *automation.Later
	if errors.As(err, &later) {
		return river.JobSnooze(later.After)
	}
	return err
}

// ignoreDisconnected drops the refusal of a tenant without a
// connection: the job is enqueued again when there is one.
func ignoreDisconnected(err error) error {
	if isDisconnected(err) {
		return nil
	}
	return err
}

func isDisconnected(err error) bool {
	var refusal *eligibility.Refusal
	return errors.As(err, &refusal) && refusal.Code == eligibility.CodeConnect
}

// retryPolicy waits 1, 2, 4 … seconds with jitter, a minute at most:
// when the CRM or Dialpad comes back, jobs should not wait for hours.
type retryPolicy struct{}

// NextRetry implements river.ClientRetryPolicy.
func (retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	delay := min(time.Second<<min(job.Attempt-1, 6), maxRetryDelay)
	delay += rand.N(delay/4 + time.Millisecond) //nolint:gosec // jitter needs no secret randomness
	last := job.ScheduledAt
	if n := len(job.Errors); n > 0 {
		last = job.Errors[n-1].At
	}
	return last.Add(delay)
}

// warningsOnly drops what River logs below warnings. Its job
// errors hold our causes, which name no numbers or texts.
func warningsOnly(log *slog.Logger) *slog.Logger {
	return slog.New(levelHandler{log.Handler()})
}

type levelHandler struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h levelHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}
