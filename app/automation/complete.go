package automation

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// uncertainTimeout is how long an unknown outcome
	// waits for Dialpad's event (contract, 2).
	uncertainTimeout = 10 * time.Minute
	// stalledAfter is how long a callback may
	// stand still before it is enqueued again.
	stalledAfter = 30 * time.Second
	maxStalled   = 1000 // callbacks in one round

	// A completion that the CRM refused is sent again, ever
	// more rarely: the refusal may have been a mistake.
	minRefusedDelay = time.Minute
	maxRefusedDelay = 6 * time.Hour
	maxRetryAfter   = time.Minute
)

// Complete reports to the CRM how a callback ended. Every try has
// the same webhook-id, so that the report counts once. It does
// nothing while the text is on its way, or its outcome unknown
// for less than ten minutes. It returns *Later if the CRM asks
// for time or refuses. After another error, run it again.
func (a *Automation) Complete(ctx context.Context, tenantID, callbackID string) error {
	c, err := a.store.Callbacks.Get(ctx, tenantID, callbackID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if c.State == ledger.CallbackSending {
		if c, err = a.storeOutcome(ctx, c); err != nil {
			return err
		}
	}
	if c.State != ledger.CallbackEnding {
		return nil
	}
	return a.report(ctx, c)
}

// storeOutcome stores the outcome of the callback's text, if
// it has one, and returns the callback as it stands then.
func (a *Automation) storeOutcome(ctx context.Context, c ledger.Callback) (ledger.Callback, error) {
	m, err := a.store.Messages.Get(ctx, c.TenantID, "", c.MessageID)
	if errors.Is(err, models.ErrNotFound) {
		m.State, err = ledger.Uncertain, nil // deleted meanwhile: its outcome is unknown
	}
	if err != nil {
		return c, err
	}
	end := messageOutcome(m)
	if end == nil {
		return c, nil
	}
	switch m.State {
	case ledger.Uncertain:
		// Not *Later: a job that waits would keep out the one that
		// Dialpad's event enqueues. EnqueueStalled comes in time.
		if a.cfg.Now().Sub(uncertainSince(m)) < uncertainTimeout {
			return c, nil
		}
	case ledger.Cancelled:
		// If the app was removed, the CRM should know
		// that the next callbacks will fail too.
		if refusal, err := a.eligible.CheckTenant(ctx, c.TenantID); err != nil {
			return c, err
		} else if refusal != nil {
			end = refusalOutcome(refusal)
		}
	}
	err = a.store.Callbacks.Update(ctx, c.TenantID, c.CallbackID, []string{ledger.CallbackSending}, end.columns())
	if apierror.IgnoreLost(err) != nil {
		return c, err
	}
	return a.store.Callbacks.Get(ctx, c.TenantID, c.CallbackID)
}

func uncertainSince(m ledger.Message) time.Time {
	if m.SettledAt != nil {
		return *m.SettledAt
	}
	return m.UpdatedAt
}

// report sends the completion and marks the callback as completed.
func (a *Automation) report(ctx context.Context, c ledger.Callback) error {
	t, err := a.store.Tenants.Get(ctx, c.TenantID)
	if err != nil {
		return err
	}
	// Named by the message's id. A callback's id is
	// not unique: two tenants may both have a cb_1.
	if err := a.crm.Complete(ctx, crmtenant.Of(t), "done_"+c.MessageID, completion(c)); err != nil {
		return a.reportError(c, err)
	}
	now := a.cfg.Now().UTC()
	err = a.store.Callbacks.Update(ctx, c.TenantID, c.CallbackID, []string{ledger.CallbackEnding},
		map[string]any{"state": ledger.CallbackCompleted, "completed_at": now, "request": nil})
	return apierror.IgnoreLost(err)
}

// reportError returns *Later if the CRM refused the report or named a time.
func (a *Automation) reportError(c ledger.Callback, err error) error {
	var e *crm.Error
	switch {
	case !errors.As(err, &e):
	case e.Kind == crm.Refused:
		a.cfg.Log.Warn("completion refused by the crm", "tenant", c.TenantID, "callback", c.CallbackID, "err", err)
		return &Later{After: min(max(a.cfg.Now().Sub(c.CreatedAt)/4, minRefusedDelay), maxRefusedDelay)}
	case e.RetryAfter > 0:
		return &Later{After: min(e.RetryAfter, maxRetryAfter)}
	}
	return err
}

// EnqueueStalled enqueues the callbacks that stand still,
// so that a lost job costs a delay and no completion.
func (a *Automation) EnqueueStalled(ctx context.Context) error {
	now := a.cfg.Now()
	n, err := a.store.Callbacks.EnqueueStalledAllTenants(ctx, now.Add(-stalledAfter), now.Add(-uncertainTimeout), maxStalled)
	if n > 0 {
		a.cfg.Log.Debug("enqueued stalled callbacks", "callbacks", n)
	}
	return err
}
