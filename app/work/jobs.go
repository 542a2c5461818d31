package work

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"dialpad-texting/app/automation"
	"dialpad-texting/app/market"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

const (
	jobTimeout = 30 * time.Second
	// rescueAfter is when a dead worker's job runs again. Every job is idempotent, so early is better than late.
	rescueAfter = 60 * time.Second
	retryMost   = time.Minute
)

// worker makes a River worker of a function.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	do func(context.Context, T) error
}

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error { return w.do(ctx, job.Args) }

func add[T river.JobArgs](ws *river.Workers, do func(context.Context, T) error) {
	river.AddWorker(ws, &worker[T]{do: do})
}

// config is the whole of the queue: every kind is known in every process, since a leader discards the stuck jobs of
// kinds it does not know.
func (c *Crew) config() *river.Config {
	ws := river.NewWorkers()
	add(ws, c.finishConnect)
	add(ws, func(ctx context.Context, j queue.SyncDirectory) error {
		return unlessBroken(c.directory(ctx, j.TenantID))
	})
	add(ws, c.readStale)
	add(ws, func(ctx context.Context, j queue.SyncUsers) error {
		_, err := c.Accounts.SyncUsers(ctx, j.TenantID)
		return err
	})
	add(ws, func(ctx context.Context, j queue.CheckConnection) error { return c.Market.Check(ctx, j.TenantID) })
	add(ws, func(ctx context.Context, j queue.CleanGrant) error {
		return c.Market.CleanGrant(ctx, j.TenantID, j.AttemptID)
	})
	add(ws, func(ctx context.Context, j queue.ReadOptOuts) error {
		_, err := c.OptOuts.Read(ctx, j.TenantID)
		return err
	})
	add(ws, func(ctx context.Context, j queue.SyncOptOut) error { return c.OptOuts.Tell(ctx, j) })
	add(ws, c.processEvent)
	add(ws, func(ctx context.Context, j queue.SyncTimeline) error {
		_, err := c.Teller.Round(ctx, j.TenantID)
		return err
	})
	add(ws, c.prepare)
	add(ws, func(ctx context.Context, j queue.ApplyBatchState) error {
		_, err := c.Texting.Move(ctx, j.TenantID, j.BatchID)
		return err
	})
	add(ws, func(ctx context.Context, j queue.ExecuteCallback) error {
		return snoozed(c.Automation.Carry(ctx, j.TenantID, j.CallbackID))
	})
	add(ws, func(ctx context.Context, j queue.CompleteCallback) error {
		return snoozed(c.Automation.Complete(ctx, j.TenantID, j.CallbackID))
	})
	add(ws, c.removeApp)
	add(ws, func(ctx context.Context, _ queue.Sweep) error { return c.sweep(ctx) })
	return &river.Config{
		Workers: ws,
		Queues: map[string]river.QueueConfig{
			queue.Prompt: {MaxWorkers: 24}, queue.Automation: {MaxWorkers: 12}, queue.Sync: {MaxWorkers: 12}, queue.Background: {MaxWorkers: 6}},
		PeriodicJobs: []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(sweepEvery),
			func() (river.JobArgs, *river.InsertOpts) { return queue.Sweep{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})},
		FetchCooldown: 20 * time.Millisecond, FetchPollInterval: 250 * time.Millisecond,
		JobTimeout: jobTimeout, RescueStuckJobsAfter: rescueAfter, SoftStopTimeout: stopWithin / 2,
		RetryPolicy: backoff{}, Logger: quiet(c.Log),
		CompletedJobRetentionPeriod: time.Hour,
	}
}

// snoozed turns an automation's wait into River's, which costs no attempt.
func snoozed(err error) error {
	var later *automation.Later
	if errors.As(err, &later) {
		return river.JobSnooze(later.After)
	}
	return err
}

// backoff waits 1, 2, 4 … seconds with jitter, a minute at most: whoever waits for the CRM or Dialpad to come back
// should not wait for hours after it did.
type backoff struct{}

// NextRetry implements river.ClientRetryPolicy.
func (backoff) NextRetry(job *rivertype.JobRow) time.Time {
	wait := min(time.Second<<min(job.Attempt-1, 6), retryMost)
	wait += rand.N(wait/4 + time.Millisecond)
	last := job.ScheduledAt
	if n := len(job.Errors); n > 0 {
		last = job.Errors[n-1].At
	}
	return last.Add(wait)
}

// removeApp removes an uninstalled app, unless it was installed again meanwhile.
func (c *Crew) removeApp(ctx context.Context, j queue.RemoveApp) error {
	i, err := c.Store.Installations.Get(ctx, j.TenantID)
	if err == nil && i.State == models.Installed && i.InstalledAt.UnixMilli() != j.InstalledAt {
		return nil
	}
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	return c.Market.Remove(ctx, j.TenantID, "")
}

// finishConnect makes a new grant usable. One that was turned down meanwhile is told on the page; once the connection
// is mended the sweep begins again.
func (c *Crew) finishConnect(ctx context.Context, j queue.FinishConnect) error {
	err := c.finish(ctx, j.TenantID)
	var refusal *market.Refusal
	if errors.As(err, &refusal) && refusal.Code == market.CodeConnect {
		return c.Store.ConnectAttempts.FailFinishing(ctx, j.TenantID, refusal.Code, cmp.Or(refusal.Reason, refusal.Message))
	}
	return err
}

// usersWithin is how long connecting waits for the CRM's users.
const usersWithin = 5 * time.Second

// finish reads the directory, makes webhook and subscriptions, reads the CRM's users, and lets texts go.
func (c *Crew) finish(ctx context.Context, tenantID string) error {
	if err := c.directory(ctx, tenantID); err != nil {
		return err
	}
	if err := c.Store.ConnectAttempts.SetFinishingStep(ctx, tenantID, models.StepSubscribes, ""); err != nil {
		return err
	}
	if _, err := c.Market.Subscribe(ctx, tenantID); err != nil {
		return err
	}
	// Before it is ready, so that the page shows everybody beside their account at once. A CRM that does not answer
	// must not keep anyone from texting: then it is a job.
	reading, cancel := context.WithTimeout(ctx, usersWithin)
	defer cancel()
	if _, err := c.Accounts.SyncUsers(reading, tenantID); err != nil {
		c.Log.Warn("the CRM's users could not be read yet", "tenant", tenantID, "err", err)
		if err := c.Store.Enqueue(ctx, queue.SyncUsers{TenantID: tenantID}); err != nil {
			return err
		}
	}
	if err := c.Market.Ready(ctx, tenantID); err != nil {
		return err
	}
	return c.Store.Enqueue(ctx, queue.ReadOptOuts{TenantID: tenantID})
}

func (c *Crew) directory(ctx context.Context, tenantID string) error {
	return inParts(ctx, func(ctx context.Context) error {
		_, err := c.Accounts.SyncDirectory(ctx, tenantID)
		return err
	})
}

// readStale reads accounts again, and says which schedules that concerns.
func (c *Crew) readStale(ctx context.Context, j queue.ReadStaleAccounts) error {
	if err := unlessBroken(inParts(ctx, func(ctx context.Context) error {
		_, err := c.Accounts.ReadStale(ctx, j.TenantID)
		return err
	})); err != nil {
		return err
	}
	_, err := c.Texting.WarnTenant(ctx, j.TenantID)
	return err
}

// unlessBroken ends a reading that found no connection: it is queued anew when there is one again.
func unlessBroken(err error) error {
	var refusal *market.Refusal
	if errors.As(err, &refusal) && refusal.Code == market.CodeConnect {
		return nil
	}
	return err
}

// processEvent applies a stored event. One whose text may still be on the wire is looked at again in a second.
func (c *Crew) processEvent(ctx context.Context, j queue.ProcessEvent) error {
	e, err := c.Store.Events.Get(ctx, j.TenantID, j.EventID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case e.Kind == ledger.EventChangeLog:
		return c.peopleChanged(ctx, e)
	case e.OptWord != "":
		return c.OptOuts.Heard(ctx, e)
	case strings.EqualFold(e.Direction, "inbound"):
		// Without a content scope it doesn't say what was written. It may have been STOP: Dialpad's list tells.
		if err := c.Store.Connections.ExpireOptOuts(ctx, j.TenantID); err != nil {
			return err
		}
	}
	done, err := c.Reconciler.Process(ctx, j.TenantID, j.EventID)
	if err == nil && !done {
		return river.JobSnooze(time.Second)
	}
	return err
}

// peopleChanged reads the users again that a change-log event named. It may have been the admin whose grant this is who
// is active again, or the app that was switched on: a broken connection is looked at first.
func (c *Crew) peopleChanged(ctx context.Context, e ledger.WebhookEvent) error {
	conn, err := c.Store.Connections.Get(ctx, e.TenantID)
	if err == nil && conn.State == models.Broken {
		if err := c.Market.Check(ctx, e.TenantID); err != nil {
			return err
		}
		conn, err = c.Store.Connections.Get(ctx, e.TenantID)
	}
	if err != nil {
		return err
	}
	if conn.State == models.Connected {
		later, err := c.Accounts.Heard(ctx, e.TenantID, e.DialpadUsers)
		if err != nil && unlessBroken(err) == nil { // it broke just now, perhaps before this event could say why
			err = c.Market.Check(ctx, e.TenantID)
		}
		if err != nil {
			return err
		}
		if later {
			if err := c.Store.Enqueue(ctx, queue.ReadStaleAccounts{TenantID: e.TenantID}); err != nil {
				return err
			}
		}
	}
	if _, err := c.Texting.WarnTenant(ctx, e.TenantID); err != nil {
		return err
	}
	return c.Store.Events.Close(ctx, e.TenantID, e.ID, ledger.EventApplied, "")
}

// prepare works for less than a job's time and goes on in the next run: a dead worker's batch must not wait long.
func (c *Crew) prepare(ctx context.Context, j queue.PrepareBatch) error {
	return inParts(ctx, func(ctx context.Context) error {
		_, err := c.Texting.Prepare(ctx, j.TenantID, j.BatchID)
		return err
	})
}

// inParts gives resumable work less than a job's time, and the rest of it another run.
func inParts(ctx context.Context, work func(context.Context) error) error {
	budget, cancel := context.WithTimeout(ctx, jobTimeout*2/3)
	defer cancel()
	err := work(budget)
	if err != nil && ctx.Err() == nil && budget.Err() != nil {
		return river.JobSnooze(0)
	}
	return err
}
