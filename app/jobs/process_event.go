package jobs

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

const (
	// inFlightDelay is when an event is processed
	// again whose text may still be on the wire.
	inFlightDelay = time.Second
	// stalledEventAfter is how long an event may
	// stay pending before it is processed without its job.
	stalledEventAfter   = 5 * time.Second
	stalledEventTimeout = 5 * time.Second
)

// processEvent applies one stored Dialpad event.
func (r *Runner) processEvent(ctx context.Context, j queue.ProcessEvent) error {
	e, err := r.Store.Events.Get(ctx, j.TenantID, j.EventID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case e.Kind == ledger.EventChangeLog:
		return r.processChangeLog(ctx, e)
	case e.OptWord != "":
		return r.OptOuts.ApplyReply(ctx, e)
	case strings.EqualFold(e.Direction, "inbound"):
		// Without a content scope the event does not say what was written. It
		// may have been STOP, so Dialpad's list is read again.
		if err := r.Store.Connections.MarkOptOutsStale(ctx, j.TenantID); err != nil {
			return err
		}
	}
	done, err := r.Reconciler.Process(ctx, j.TenantID, j.EventID)
	if err == nil && !done {
		return river.JobSnooze(inFlightDelay)
	}
	return err
}

// processChangeLog reads the users again that a change-log event
// named. A broken connection is checked first: the admin whose grant
// it is may be active again, or the app may be switched on again.
func (r *Runner) processChangeLog(ctx context.Context, e ledger.WebhookEvent) error {
	conn, err := r.Store.Connections.Get(ctx, e.TenantID)
	if err == nil && conn.State == models.Broken {
		if err := r.Connections.Check(ctx, e.TenantID); err != nil {
			return err
		}
		conn, err = r.Store.Connections.Get(ctx, e.TenantID)
	}
	if err != nil {
		return err
	}
	if conn.State == models.Connected {
		if err := r.readChangedUsers(ctx, e); err != nil {
			return err
		}
	}
	if _, err := r.Batches.Scheduler.WarnTenant(ctx, e.TenantID); err != nil {
		return err
	}
	return r.Store.Events.Close(ctx, e, ledger.EventApplied, "")
}

func (r *Runner) readChangedUsers(ctx context.Context, e ledger.WebhookEvent) error {
	more, err := r.Accounts.ReadChanged(ctx, e.TenantID, e.DialpadUsers)
	if isDisconnected(err) {
		// It broke just now, perhaps before this event could say why.
		err = r.Connections.Check(ctx, e.TenantID)
	}
	if err != nil || !more {
		return err
	}
	return r.Store.Enqueue(ctx, queue.ReadStaleAccounts{TenantID: e.TenantID})
}

// processStalledEvents applies events whose job died, in the background: it
// returns without waiting for Dialpad.
func (s sweeper) processStalledEvents(ctx context.Context) error {
	events, err := s.Store.Events.PendingAllTenants(ctx, s.Now().Add(-stalledEventAfter), maxStalled)
	for _, e := range events {
		s.recovering.start("event "+e.ID, func() {
			ctx, cancel := context.WithTimeout(ctx, stalledEventTimeout)
			defer cancel()
			var snoozed *river.JobSnoozeError
			err := s.processEvent(ctx, queue.ProcessEvent{TenantID: e.TenantID, EventID: e.ID})
			if err != nil && !errors.As(err, &snoozed) {
				s.Log.Warn("process stalled event failed", "tenant", e.TenantID, "event", e.ID, "err", err)
			}
		})
	}
	return err
}
