package work

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/texting"
	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

const (
	hourly = time.Hour
	daily  = 24 * time.Hour
	// silence is how long after a text without any event, and how soon after Dialpad refused one, the connection and its
	// subscriptions are looked at again.
	silence = 10 * time.Minute
	// standstill is how long a batch may prepare without a sign before somebody looks.
	standstill      = 20 * time.Second
	prepareTogether = 8
	// overdue is how long an event may be stored and not processed before somebody looks.
	overdue       = 5 * time.Second
	overdueWithin = 5 * time.Second
)

// sweep looks for what lost its wake-up, what has become old, and what must be forgotten. It is the net under every
// job: nothing depends on a job being there.
func (c *Crew) sweep(ctx context.Context) error {
	return errors.Join(c.pickUp(ctx), c.refresh(ctx), c.foresee(ctx), c.expire(ctx), c.processOverdue(ctx), c.prepareStanding(ctx))
}

// foresee warns of schedules that are going to fail. Once a minute will do, since it looks at all of them.
func (c *Crew) foresee(ctx context.Context) error {
	now := c.Now()
	if last := c.foreseen.Swap(now.UnixNano()); now.Sub(time.Unix(0, last)).Abs() < time.Minute {
		c.foreseen.Store(last)
		return nil
	}
	n, err := c.Texting.WarnAllTenants(ctx)
	if n != (texting.WarnCounts{}) {
		c.Log.Info("looked ahead at the schedules", "warned", n.Warned, "cleared", n.Cleared, "moved", n.Moved, "asked", n.Asked)
	}
	return err
}

// pickUp wakes work that stands still.
func (c *Crew) pickUp(ctx context.Context) error {
	now := c.Now()
	tenants, err := c.Store.Messages.TimelinePendingTenantsAllTenants(ctx)
	var jobs []river.JobArgs
	for _, t := range tenants {
		jobs = append(jobs, queue.SyncTimeline{TenantID: t})
	}
	stale, err2 := c.Store.Accounts.StaleTenantsAllTenants(ctx)
	for _, t := range stale {
		jobs = append(jobs, queue.ReadStaleAccounts{TenantID: t})
	}
	left, err3 := c.Store.Batches.OrphanedAllTenants(ctx, now.Add(-standstill), 100)
	for _, b := range left {
		jobs = append(jobs, queue.ApplyBatchState{TenantID: b.TenantID, BatchID: b.ID})
	}
	suspects, err4 := c.Store.Connections.SilentAllTenants(ctx, models.SilentFilter{Since: now.Add(-hourly), Before: now.Add(-silence), CheckedBefore: now.Add(-silence)})
	for _, t := range suspects {
		jobs = append(jobs, queue.CheckConnection{TenantID: t})
	}
	return errors.Join(err, err2, err3, err4, c.Store.Batches.FinishStalledAllTenants(ctx, now.Add(-standstill)), c.Store.Enqueue(ctx, jobs...), c.Automation.PickUp(ctx), c.finishUnready(ctx))
}

// processOverdue applies events whose job died. Not as jobs: the one that died still counts as running, and keeps its twin
// out.
func (c *Crew) processOverdue(ctx context.Context) error {
	events, err := c.Store.Events.PendingAllTenants(ctx, c.Now().Add(-overdue), 500)
	ctx, cancel := context.WithTimeout(ctx, overdueWithin)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(prepareTogether)
	for _, e := range events {
		g.Go(func() error {
			var later *river.JobSnoozeError
			err := c.processEvent(ctx, queue.ProcessEvent{TenantID: e.TenantID, EventID: e.ID})
			if err != nil && !errors.As(err, &later) {
				c.Log.Warn("an event is still waiting to be processed", "tenant", e.TenantID, "event", e.ID, "err", err)
			}
			return nil
		})
	}
	return errors.Join(err, g.Wait())
}

// prepareStanding prepares batches whose job died. Not as jobs: the one that died still counts as running, and keeps its
// twin out. It comes last and many at a time, since a CRM that hangs may take all the time there is.
func (c *Crew) prepareStanding(ctx context.Context) error {
	standing, err := c.Store.Batches.StalledPreparingAllTenants(ctx, c.Now().Add(-standstill), 50)
	var g errgroup.Group
	g.SetLimit(prepareTogether)
	for _, b := range standing {
		g.Go(func() error {
			if _, err := c.Texting.Prepare(ctx, b.TenantID, b.ID); err != nil {
				c.Log.Warn("a batch is still waiting to be prepared", "tenant", b.TenantID, "batch", b.ID, "err", err)
			}
			return nil
		})
	}
	return errors.Join(err, g.Wait())
}

// finishUnready picks up grants whose directory and subscriptions were never finished.
func (c *Crew) finishUnready(ctx context.Context) error {
	return c.eachConnection(ctx, func(conn models.Connection) []river.JobArgs {
		if conn.State == models.Connected && !conn.Ready && c.Now().Sub(conn.ConnectedAt) > time.Minute {
			return []river.JobArgs{conn.Finish()}
		}
		return nil
	})
}

// refresh reads again what Dialpad and the CRM do not tell by themselves: hourly, each tenant at its own minute.
func (c *Crew) refresh(ctx context.Context) error {
	now := c.Now()
	old := func(at *time.Time, age time.Duration, tenant string) bool {
		return at == nil || now.Sub(*at) > age+jitter(tenant, age/6)
	}
	return c.eachConnection(ctx, func(conn models.Connection) (jobs []river.JobArgs) {
		if !conn.Usable() {
			if conn.State == models.Broken && old(conn.LastCheckedAt, 5*time.Minute, conn.TenantID) {
				jobs = append(jobs, queue.CheckConnection{TenantID: conn.TenantID})
			}
			return jobs
		}
		if old(conn.DirectoryAt, hourly, conn.TenantID) {
			jobs = append(jobs, queue.SyncDirectory{TenantID: conn.TenantID}, queue.SyncUsers{TenantID: conn.TenantID})
		}
		if old(conn.OptOutsAt, hourly, conn.TenantID) {
			jobs = append(jobs, queue.ReadOptOuts{TenantID: conn.TenantID})
		}
		checked := daily
		if conn.SMSSubscription == "" || conn.ChangeSubscription == "" {
			checked = hourly // what Dialpad refused is asked for again: room may have been made
		}
		if old(conn.LastCheckedAt, checked, conn.TenantID) {
			jobs = append(jobs, queue.CheckConnection{TenantID: conn.TenantID})
		}
		return jobs
	})
}

func (c *Crew) eachConnection(ctx context.Context, f func(models.Connection) []river.JobArgs) error {
	for after := ""; ; {
		page, err := c.Store.Connections.ListAllTenants(ctx, after, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, conn := range page {
			after = conn.TenantID
			if err := c.Store.Enqueue(ctx, f(conn)...); err != nil {
				return err
			}
		}
	}
}

// jitter spreads tenants over a time, each always at the same place.
func jitter(tenant string, over time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenant))
	return over * time.Duration(h.Sum32()%1000) / 1000
}

// expire ends what was held too long and forgets what is over.
func (c *Crew) expire(ctx context.Context) error {
	_, err := c.Texting.ExpireHeldAllTenants(ctx, 100)
	_, err2 := c.Market.ExpireAttempts(ctx)
	n, err3 := c.Store.DeleteExpiredAllTenants(ctx)
	if n > 0 {
		c.Log.Debug("forgot what was over", "rows", n)
	}
	return errors.Join(err, err2, err3)
}

// quiet keeps River's own chatter below warnings; its job errors hold our causes, which hold no numbers or texts.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(levelHandler{log.Handler()})
}

type levelHandler struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h levelHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}
