// Package work is the edge of the background: it gives the rounds of the other packages their loops, clocks, retries
// and queues, and applies what the CRM tells.
package work

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/market"
	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// Crew is everything that works in the background.
type Crew struct {
	Store      *models.Store
	Market     *market.Market
	Accounts   *accounts.Accounts
	Texting    *texting.Texting
	Automation *automation.Automation
	Engine     *delivery.Engine
	Teller     *delivery.Teller
	Reconciler *delivery.Reconciler
	OptOuts    *texting.OptOuts
	CRM        *crm.Client
	WorkerID   string
	Now        func() time.Time
	Log        *slog.Logger

	foreseen atomic.Int64 // when the schedules were last looked at, in ns
}

const (
	dueEvery   = time.Second
	seenEvery  = 5 * time.Second
	sweepEvery = 15 * time.Second
	stopWithin = 20 * time.Second
)

// Run works until ctx ends, then stops cleanly: jobs finish or go back to the queue, texts on the wire are settled.
func (c *Crew) Run(ctx context.Context) error {
	client, err := c.Store.River(c.config())
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return ended(c.Engine.Run(ctx)) })
	g.Go(func() error { return ended(runJobs(ctx, client)) })
	g.Go(func() error { return c.every(ctx, dueEvery, "due", c.due) })
	g.Go(func() error {
		return c.every(ctx, seenEvery, "seen", func(ctx context.Context) error { return c.Store.Workers.MarkSeen(ctx, c.WorkerID) })
	})
	return g.Wait()
}

// runJobs runs River until ctx ends. Its own ctx must outlive ours: jobs get time to finish.
func runJobs(ctx context.Context, client *river.Client[*sql.Tx]) error {
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	<-ctx.Done()
	soft, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin/2)
	defer cancel()
	if err := client.Stop(soft); err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin/2)
	defer cancel()
	return client.StopAndCancel(hard)
}

func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// every runs a round now and then at an interval until ctx ends; a failed round is logged and tried again.
func (c *Crew) every(ctx context.Context, d time.Duration, name string, round func(context.Context) error) error {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		if err := round(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("a round failed", "round", name, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// due starts scheduled batches; it goes on while there are many.
func (c *Crew) due(ctx context.Context) error {
	const some = 200
	for ctx.Err() == nil {
		n, err := c.Texting.StartDueAllTenants(ctx, some)
		if err != nil || n.Started+n.Held+n.Dropped+n.Moved < some {
			return err
		}
	}
	return nil
}
