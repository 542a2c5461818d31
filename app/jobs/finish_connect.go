package jobs

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

const (
	// usersTimeout is how long connecting waits for the CRM's users.
	usersTimeout = 5 * time.Second
	// unfinishedAfter is how long a grant may stay
	// unfinished before the sweep enqueues its job again.
	unfinishedAfter = time.Minute
)

// finishConnect makes a new grant usable. A refusal is shown on the app
// page. Once the connection is mended the sweep starts the job again.
func (r *Runner) finishConnect(ctx context.Context, j queue.FinishConnect) error {
	err := r.finishConnectSteps(ctx, j.TenantID)
	var refusal *eligibility.Refusal
	if errors.As(err, &refusal) && refusal.Code == eligibility.CodeConnect {
		return r.Store.ConnectAttempts.FailFinishing(ctx, j.TenantID, refusal.Code, cmp.Or(refusal.Reason, refusal.Message))
	}
	return err
}

// finishConnectSteps reads the directory, makes webhook and
// subscriptions, reads the CRM's users and lets texts go.
func (r *Runner) finishConnectSteps(ctx context.Context, tenantID string) error {
	if err := r.readDirectory(ctx, tenantID); err != nil {
		return err
	}
	if err := r.Store.ConnectAttempts.SetFinishingStep(ctx, tenantID, models.StepSubscriptions, ""); err != nil {
		return err
	}
	if _, err := r.Connections.Subscribe(ctx, tenantID); err != nil {
		return err
	}
	// Before the tenant is ready, so that the page shows all users
	// beside their accounts at once. A CRM that does not answer
	// must not keep anyone from texting: then a job reads them.
	reading, cancel := context.WithTimeout(ctx, usersTimeout)
	defer cancel()
	if _, err := r.Accounts.SyncUsers(reading, tenantID); err != nil {
		r.Log.Warn("read crm users failed", "tenant", tenantID, "err", err)
		if err := r.Store.Enqueue(ctx, queue.SyncUsers{TenantID: tenantID}); err != nil {
			return err
		}
	}
	if err := r.Connections.MarkReady(ctx, tenantID); err != nil {
		return err
	}
	return r.Store.Enqueue(ctx, queue.ReadOptOuts{TenantID: tenantID})
}

// unfinishedConnect returns the job of a grant that was never finished.
func (s sweeper) unfinishedConnect(conn models.Connection) []river.JobArgs {
	if conn.State == models.Connected && !conn.Ready && s.Now().Sub(conn.ConnectedAt) > unfinishedAfter {
		return []river.JobArgs{conn.Finish()}
	}
	return nil
}
