package connection

import (
	"context"
	"errors"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

// fail ends an attempt with its sentence and has its grant given back.
func (c *Connector) fail(ctx context.Context, a models.ConnectAttempt, t models.Tenant, e *ConnectError, g grant) (Result, error) {
	c.log.Info("connect attempt failed", "tenant", t.ID, "attempt", a.ID, "code", e.Code, "err", e.Cause)
	if err := c.endAttempt(ctx, a, e, g); errors.Is(err, models.ErrLost) { // it expired meanwhile
		_, _ = c.discard(ctx, g, err)
	} else if err != nil {
		return c.discard(ctx, g, err)
	}
	return c.withLink(t, e).Result, nil
}

func (c *Connector) endAttempt(ctx context.Context, a models.ConnectAttempt, e *ConnectError, g grant) error {
	return c.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.ConnectAttempts.SetStep(ctx, a, models.StepFailed, e.Code, e.Message, g.encode()); err != nil {
			return err
		}
		if g.encode() != "" {
			if err := tx.Enqueue(ctx, queue.CleanGrant{TenantID: a.TenantID, AttemptID: a.ID}); err != nil {
				return err
			}
		}
		return tx.Audits.Add(ctx, a.TenantID, a.UserID, "connect.failed", map[string]string{"code": e.Code, "company": g.CompanyID})
	})
}

// discard revokes a grant at once and returns cause: the database did not
// store it, so no job could do it later.
func (c *Connector) discard(ctx context.Context, g grant, cause error) (Result, error) {
	if g.Grant.Access != "" {
		if err := c.dp.Revoke(ctx, g.Grant.Access); err != nil {
			c.log.Error("revoke unstored grant failed", "err", err)
		}
	}
	return Result{}, cause
}

// CleanGrant gives back the grant that an attempt left over: it deletes our
// webhook and subscriptions, revokes the grant and forgets it. An error
// means that it has to run again.
func (c *Connector) CleanGrant(ctx context.Context, tenantID, attemptID string) error {
	a, err := c.store.ConnectAttempts.Get(ctx, tenantID, attemptID)
	if errors.Is(err, models.ErrNotFound) || err == nil && (a.GrantSealed.Empty() || a.Step == models.StepConfirm || a.Step == models.StepExchanging) {
		return nil
	}
	if err != nil {
		return err
	}
	g, err := attemptGrant(c.store, a)
	if err != nil {
		return err
	}
	if err := c.giveBack(ctx, g); eligibility.IsOutage(err) {
		return eligibility.Unreachable(err)
	} else if err != nil {
		c.log.Warn("give back grant failed", "tenant", tenantID, "err", err)
	}
	return c.store.ConnectAttempts.DeleteGrant(ctx, tenantID, attemptID)
}

// giveBack needs a valid access token. An expired one is refreshed once, and
// the new pair used for this alone.
func (c *Connector) giveBack(ctx context.Context, g grant) error {
	err := c.deleteAndRevoke(ctx, g, g.Grant.Access)
	if dialpad.KindOf(err) != dialpad.Unauthorized || g.Grant.Refresh == "" {
		return err
	}
	pair, err := c.dp.Refresh(ctx, g.Grant.Refresh)
	if err != nil {
		return err
	}
	return c.deleteAndRevoke(ctx, g, pair.Access)
}

func (c *Connector) deleteAndRevoke(ctx context.Context, g grant, token string) error {
	if g.Path != "" || g.Known != (models.Subscriptions{}) {
		if err := c.hooks.deleteOwn(ctx, token, g.Path, g.Known); err != nil {
			return err
		}
	}
	return c.dp.Revoke(ctx, token)
}

// ExpireAttempts ends the attempts whose confirmation never came and
// enqueues the return of their grants. It returns how many. One whose grant
// can't be read ends without: nobody could give it back.
func (c *Connector) ExpireAttempts(ctx context.Context) (int, error) {
	expired, err := c.store.ConnectAttempts.ExpiredGrantsAllTenants(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, a := range expired {
		g, err := attemptGrant(c.store, a)
		if err != nil {
			c.log.Error("read grant of expired attempt failed", "tenant", a.TenantID, "attempt", a.ID, "err", err)
			g = grant{}
		}
		if err := c.endAttempt(ctx, a, errConfirmExpired(), g); err != nil && !errors.Is(err, models.ErrLost) {
			return n, err
		}
		n++
	}
	return n, nil
}
