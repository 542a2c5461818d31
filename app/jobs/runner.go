// Package jobs runs the background work: it gives the rounds of the other
// packages their loops, queues, timeouts and retries. It also applies the
// CRM's events.
//
// Each job has a file of its name, with its handler and the sweep
// that finds its work when the job was lost. Every job is idempotent.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/install"
	"dialpad-texting/app/optout"
	"dialpad-texting/app/timeline"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/ctxtime"
	"dialpad-texting/models"
)

// Runner runs everything that works in the background.
type Runner struct {
	Store       *models.Store
	Connector   *connection.Connector
	Connections *connection.Connections
	Installer   *install.Installer
	Accounts    *accounts.Accounts
	Audience    *audience.Audience
	Batches     *batch.Batches
	Automation  *automation.Automation
	Engine      *delivery.Engine
	Timelines   *timeline.Rounds
	Reconciler  *delivery.Reconciler
	OptOuts     *optout.OptOuts
	CRM         *crm.Client
	WorkerID    string
	Now         func() time.Time

	// Retention is how long batches that have ended are kept; 0: for ever.
	Retention time.Duration
	// SweepInterval is the time between two sweeps; 0: 15 s.
	SweepInterval time.Duration
	// AuditDays is how long the audit log is kept; 0: a year.
	AuditDays int
	// JobBudget is how long a job works that can be resumed; 0: 20 s.
	JobBudget time.Duration
	Log       *slog.Logger

	eventsOnce sync.Once
	events     chan struct{} // a signal that delivery events were stored

	recovering recovery
}

const (
	scheduleInterval  = time.Second
	heartbeatInterval = 5 * time.Second
	stopTimeout       = 20 * time.Second
)

// Run works until ctx ends, then stops cleanly: jobs finish
// or go back to the queue, texts on the wire are settled.
func (r *Runner) Run(ctx context.Context) error {
	client, err := r.Store.River(r.riverConfig())
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return withoutCanceled(r.Engine.Run(ctx)) })
	g.Go(func() error { return withoutCanceled(runRiver(ctx, client)) })
	g.Go(func() error {
		r.every(ctx, scheduleInterval, "start scheduled batches failed", r.startScheduled)
		return nil
	})
	g.Go(func() error {
		r.applyEvents(ctx)
		return nil
	})
	g.Go(func() error {
		return r.syncTimelines(ctx)
	})
	g.Go(func() error {
		r.every(ctx, foldInterval, "fold counts failed", sweeper{r}.foldCounts)
		return nil
	})
	g.Go(func() error {
		sweeper{r}.runRounds(ctx)
		return nil
	})
	g.Go(func() error {
		r.every(ctx, heartbeatInterval, "store heartbeat failed", func(ctx context.Context) error {
			return r.Store.Workers.MarkSeen(ctx, r.WorkerID)
		})
		return nil
	})
	return g.Wait()
}

// runRiver runs River until ctx ends. River's own
// context outlives ctx, so that jobs get time to finish.
func runRiver(ctx context.Context, client *river.Client[*sql.Tx]) error {
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	<-ctx.Done()
	soft, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout/2)
	defer cancel()
	if err := client.Stop(soft); err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout/2)
	defer cancel()
	return client.StopAndCancel(hard)
}

func withoutCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// every runs a round now and then at an interval until ctx ends.
// A round that failed is logged as failure and tried again.
func (r *Runner) every(ctx context.Context, interval time.Duration, failure string, round func(context.Context) error) {
	ctxtime.Every(ctx, interval, func(ctx context.Context) {
		if err := round(ctx); err != nil && ctx.Err() == nil {
			r.Log.Error(failure, "err", err)
		}
	})
}

// startScheduled starts the batches that
// are due. It goes on while there are many.
func (r *Runner) startScheduled(ctx context.Context) error {
	const limit = 200
	for ctx.Err() == nil {
		n, err := r.Batches.Scheduler.StartDueAllTenants(ctx, limit)
		if err != nil || n.Started+n.Held+n.Dropped+n.Moved < limit {
			return err
		}
	}
	return nil
}
