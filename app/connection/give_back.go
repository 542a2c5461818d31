package connection

import (
	"context"
	"errors"
	"log/slog"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

// revoker gives grants back to Dialpad. It is the only one that calls
// deauthorize: Dialpad does not say whether that ends one token, all of
// the person's, or the app for the whole company.
type revoker struct {
	store *models.Store
	dp    *dialpad.Client
	log   *slog.Logger
}

// grantOwner is who gave a grant, as /users/me said: company and person,
// "" if it was not answered. Ending is the tenant whose connection is the
// grant itself and ends now, Attempt the connect attempt that has it.
type grantOwner struct{ CompanyID, UserID, Ending, Attempt string }

// mayRevoke reports whether deauthorize can cut nobody else off: company
// and person are known, neither has a live connection in any tenant, and
// no other connect attempt holds a grant, whose owner is sealed.
func (r revoker) mayRevoke(ctx context.Context, o grantOwner) (bool, error) {
	if o.CompanyID == "" || o.UserID == "" {
		return false, nil
	}
	live, err := r.store.Connections.LiveAllTenants(ctx, o.CompanyID, o.UserID, o.Ending)
	if err != nil || live {
		return false, err
	}
	pending, err := r.store.ConnectAttempts.HoldGrantsAllTenants(ctx, o.Attempt)
	return !pending, err
}

// revoke revokes the grant of an access token if mayRevoke allows it, and
// reports whether it did. Else the grant is to be forgotten.
func (r revoker) revoke(ctx context.Context, o grantOwner, token string) (bool, error) {
	may, err := r.mayRevoke(ctx, o)
	if err != nil {
		return false, err
	}
	if !may {
		r.log.Info("grant forgotten and not revoked: others may depend on it", "company", o.CompanyID)
		return false, nil
	}
	err = r.dp.Revoke(ctx, token)
	return err == nil, err
}

// fail ends an attempt with its sentence and has its grant given back.
func (c *Connector) fail(ctx context.Context, a models.ConnectAttempt, t models.Tenant, e *ConnectError, g grant) (Result, error) {
	c.log.Info("connect attempt failed", "tenant", t.ID, "attempt", a.ID, "code", e.Code, "err", e.Cause)
	if err := c.endAttempt(ctx, a, e, g); errors.Is(err, models.ErrLost) { // it expired meanwhile
		_, _ = c.discard(ctx, a, g, err)
	} else if err != nil {
		return c.discard(ctx, a, g, err)
	}
	return c.withLink(t, e).Result, nil
}

// endAttempt keeps the grant sealed for CleanGrant where it may be given
// back. Else no copy stays.
func (c *Connector) endAttempt(ctx context.Context, a models.ConnectAttempt, e *ConnectError, g grant) error {
	leftover := g.encode()
	if may, err := c.revoker.mayRevoke(ctx, g.owner(a.ID)); err != nil || !may {
		leftover = ""
	}
	return c.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.ConnectAttempts.SetStep(ctx, a, models.StepFailed, e.Code, e.Message, leftover); err != nil {
			return err
		}
		if leftover != "" {
			if err := tx.Enqueue(ctx, queue.CleanGrant{TenantID: a.TenantID, AttemptID: a.ID}); err != nil {
				return err
			}
		}
		return tx.Audits.Add(ctx, a.TenantID, a.UserID, "connect.failed", map[string]string{"code": e.Code, "company": g.CompanyID})
	})
}

// discard gives a grant back at once and returns cause: the database did
// not store it, so no job could do it later.
func (c *Connector) discard(ctx context.Context, a models.ConnectAttempt, g grant, cause error) (Result, error) {
	if g.Grant.Access != "" {
		if _, err := c.revoker.revoke(ctx, g.owner(a.ID), g.Grant.Access); err != nil {
			c.log.Error("revoke unstored grant failed", "err", err)
		}
	}
	return Result{}, cause
}

// CleanGrant gives back the grant that an attempt left over: it deletes our
// webhook and subscriptions, revokes the grant if revoker allows it, and
// forgets it. An error means that it has to run again.
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
	if err := c.giveBack(ctx, a, g); eligibility.IsOutage(err) {
		return eligibility.Unreachable(err)
	} else if err != nil {
		c.log.Warn("give back grant failed", "tenant", tenantID, "err", err)
	}
	return c.store.ConnectAttempts.DeleteGrant(ctx, tenantID, attemptID)
}

// giveBack needs a valid access token. An expired one is refreshed once, and
// the new pair used for this alone.
func (c *Connector) giveBack(ctx context.Context, a models.ConnectAttempt, g grant) error {
	if !g.hasHooks() { // nothing but to revoke it, if that
		if may, err := c.revoker.mayRevoke(ctx, g.owner(a.ID)); err != nil || !may {
			return err
		}
	}
	err := c.deleteAndRevoke(ctx, a, g, g.Grant.Access)
	if dialpad.KindOf(err) != dialpad.Unauthorized || g.Grant.Refresh == "" {
		return err
	}
	pair, err := c.dp.Refresh(ctx, g.Grant.Refresh)
	if err != nil {
		return err
	}
	return c.deleteAndRevoke(ctx, a, g, pair.Access)
}

func (c *Connector) deleteAndRevoke(ctx context.Context, a models.ConnectAttempt, g grant, token string) error {
	if g.hasHooks() {
		if err := c.hooks.deleteOwn(ctx, token, g.Path, g.Known); err != nil {
			return err
		}
	}
	_, err := c.revoker.revoke(ctx, g.owner(a.ID), token)
	return err
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
		g, grantErr := attemptGrant(c.store, a)
		if grantErr != nil {
			c.log.Error("read grant of expired attempt failed", "tenant", a.TenantID, "attempt", a.ID, "err", grantErr)
			g = grant{}
		}
		if endErr := c.endAttempt(ctx, a, errConfirmExpired(), g); endErr != nil && !errors.Is(endErr, models.ErrLost) {
			err = errors.Join(err, endErr) // one that fails must not stop the others
			continue
		}
		n++
	}
	return n, err
}
