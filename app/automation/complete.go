package automation

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// unknownFor is how long an unknown outcome waits for Dialpad's event (contract, 2).
	unknownFor = 10 * time.Minute
	// standstill is how long a call may stand still before somebody looks.
	standstill = 30 * time.Second
	pickUpMost = 1000

	// A CRM that turned a completion down is asked again, ever more rarely, since it may have been mistaken.
	refusedLeast = time.Minute
	refusedMost  = 6 * time.Hour
)

// Complete tells the CRM how a call ended, once in effect: every try has the same webhook-id. It does nothing while the
// text is on its way, or its outcome unknown for less than ten minutes. *Later where the CRM asks for time or refuses;
// another error means: again later.
func (a *Automation) Complete(ctx context.Context, tenantID, callbackID string) error {
	c, err := a.store.Callbacks.Get(ctx, tenantID, callbackID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if c.State == ledger.CallbackSending {
		if c, err = a.conclude(ctx, c); err != nil {
			return err
		}
	}
	if c.State != ledger.CallbackEnding {
		return nil
	}
	return a.tell(ctx, c)
}

// conclude stores how the text ended, if it did, and returns the call as it stands then.
func (a *Automation) conclude(ctx context.Context, c ledger.Callback) (ledger.Callback, error) {
	m, err := a.store.Messages.Get(ctx, c.TenantID, "", c.MessageID)
	if errors.Is(err, models.ErrNotFound) {
		m.State, err = ledger.Uncertain, nil // forgotten meanwhile: nobody knows any more
	}
	if err != nil {
		return c, err
	}
	end := endOf(m)
	if end == nil {
		return c, nil
	}
	switch m.State {
	case ledger.Uncertain:
		// Not *Later: the job that waits would keep out the one that Dialpad's event brings. PickUp comes in time.
		if a.cfg.Now().Sub(uncertainSince(m)) < unknownFor {
			return c, nil
		}
	case ledger.Cancelled:
		// Cancelled because the app was removed: the CRM should know that the next ones won't go either.
		if refusal, err := a.market.TenantMay(ctx, c.TenantID); err != nil {
			return c, err
		} else if refusal != nil {
			end = refused(refusal)
		}
	}
	err = a.store.Callbacks.Update(ctx, c.TenantID, c.CallbackID, []string{ledger.CallbackSending}, end.columns())
	if err != nil && !errors.Is(err, models.ErrLost) {
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

func (a *Automation) tell(ctx context.Context, c ledger.Callback) error {
	t, err := a.store.Tenants.Get(ctx, c.TenantID)
	if err != nil {
		return err
	}
	// The message's id is unique in the world, which a callback's is not: two tenants may both have a cb_1.
	if err := a.crm.Complete(ctx, crmTenant(t), "done_"+c.MessageID, completion(c)); err != nil {
		return a.untold(c, err)
	}
	now := a.cfg.Now().UTC()
	err = a.store.Callbacks.Update(ctx, c.TenantID, c.CallbackID, []string{ledger.CallbackEnding},
		map[string]any{"state": ledger.CallbackCompleted, "completed_at": now, "request": nil})
	if errors.Is(err, models.ErrLost) {
		return nil
	}
	return err
}

// untold says when to tell again.
func (a *Automation) untold(c ledger.Callback, err error) error {
	var e *crm.Error
	switch {
	case !errors.As(err, &e):
	case e.Kind == crm.Refused:
		a.cfg.Log.Warn("the CRM turned a completion down", "tenant", c.TenantID, "callback", c.CallbackID, "err", err)
		return &Later{After: min(max(a.cfg.Now().Sub(c.CreatedAt)/4, refusedLeast), refusedMost)}
	case e.RetryAfter > 0:
		return &Later{After: min(e.RetryAfter, time.Minute)}
	}
	return err
}

// PickUp enqueues calls again that stood still, so that a lost wake-up costs a delay and no answer.
func (a *Automation) PickUp(ctx context.Context) error {
	now := a.cfg.Now()
	n, err := a.store.Callbacks.EnqueueStalledAllTenants(ctx, now.Add(-standstill), now.Add(-unknownFor), pickUpMost)
	if n > 0 {
		a.cfg.Log.Debug("picked up automation calls", "calls", n)
	}
	return err
}
