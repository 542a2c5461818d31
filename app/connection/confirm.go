package connection

import (
	"context"
	"errors"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// decide refuses a grant, or asks for a confirmation. It always asks: the
// window may have been opened by a link that somebody else sent, and the
// CRM may not have verified its users' e-mails.
func (c *Connector) decide(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g grant) (Result, error) {
	if result, stopped, err := c.stop(ctx, a, t, g); stopped {
		return result, err
	}
	replaces, err := c.otherCompany(ctx, t, g)
	if err != nil {
		return c.discard(ctx, a, g, err)
	}
	state := models.NewSecret()
	if err := c.store.ConnectAttempts.AwaitConfirm(ctx, a.ID, g.encode(), state, confirmTTL); err != nil {
		return c.discard(ctx, a, g, err)
	}
	return Result{Title: "Connect " + g.CompanyName + "?", Confirm: &Confirm{Company: g.CompanyName, DialpadEmail: g.email(),
		TenantName: t.Name, Linkname: t.Linkname, State: state, OtherEmail: !g.hasEmail(a.UserEmail), Replaces: replaces}}, nil
}

// stop ends the attempt where there is an obstacle, or where that can't
// be found out.
func (c *Connector) stop(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g grant) (result Result, stopped bool, err error) {
	obstacle, err := c.obstacle(ctx, a, t, g)
	switch {
	case err != nil:
		result, err = c.discard(ctx, a, g, err)
	case obstacle != nil:
		result, err = c.fail(ctx, a, t, obstacle, g)
	default:
		return Result{}, false, nil
	}
	return result, true, err
}

// obstacle returns why a grant can't be accepted, whoever confirms it: plan
// or app lost meanwhile, the admin deactivated or no admin any more, the
// company another tenant's.
func (c *Connector) obstacle(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g grant) (*ConnectError, error) {
	refusal, err := c.eligible.CheckInstalled(ctx, t)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return errNoLongerEligible(refusal), nil
	}
	u, err := c.store.Users.Get(ctx, t.ID, a.UserID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return nil, err
	}
	if err == nil && !u.Active {
		return errUserDeactivated(), nil
	}
	// The CRM's list has no roles: one is known since the first launch.
	if err == nil && u.Role != "" && u.Role != crm.RoleAdmin {
		return errNoLongerAdmin(), nil
	}
	connected, err := c.store.Connections.ByCompanyAllTenants(ctx, g.CompanyID)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case connected.TenantID != t.ID:
		return errCompanyTaken(g.CompanyName), nil
	}
	return nil, nil
}

// otherCompany returns the name of the company that the tenant is connected
// to, "" if it is none or the grant's.
func (c *Connector) otherCompany(ctx context.Context, t models.Tenant, g grant) (string, error) {
	old, err := c.store.Connections.Get(ctx, t.ID)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case old.State == models.Disconnected || old.CompanyID == g.CompanyID:
		return "", nil
	}
	return old.CompanyName, nil
}

// Confirm accepts the grant that waits for it. Only the browser that was
// asked may answer.
func (c *Connector) Confirm(ctx context.Context, state, browser string) (Result, error) {
	return c.answer(ctx, state, browser, func(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g grant) (Result, error) {
		if result, stopped, err := c.stop(ctx, a, t, g); stopped {
			return result, err
		}
		return c.accept(ctx, a, t, g)
	})
}

// Decline gives back the grant that waits for a confirmation.
func (c *Connector) Decline(ctx context.Context, state, browser string) (Result, error) {
	return c.answer(ctx, state, browser, func(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g grant) (Result, error) {
		return c.fail(ctx, a, t, errDeclined(g.CompanyName, t.Name), g)
	})
}

// answer takes the attempt that waits for an answer in this browser and
// passes it to f.
func (c *Connector) answer(ctx context.Context, state, browser string,
	f func(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g grant) (Result, error)) (Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	a, opened, err := c.store.ConnectAttempts.TakeConfirm(ctx, state, browser)
	if err != nil {
		return c.unmatchedCallback(ctx, state, err)
	}
	t, err := c.store.Tenants.Get(ctx, a.TenantID)
	if err != nil {
		return Result{}, err
	}
	g, err := decodeGrant(opened)
	if err != nil {
		return Result{}, err
	}
	return f(ctx, a, t, g)
}
