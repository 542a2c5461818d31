package connection

import (
	"cmp"
	"context"
	"errors"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// CallbackQuery is what came back from Dialpad, and the cookie's value of
// the browser it came back in.
type CallbackQuery struct {
	State, Code, Error, Description, Browser string
}

// Callback handles Dialpad's redirect: it redeems the code, reads who
// consented for which company, and asks or says why not. A grant that is
// not used is given back. The error is the app's own, never the
// person's.
func (c *Connector) Callback(ctx context.Context, q CallbackQuery) (Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	a, verifier, err := c.store.ConnectAttempts.TakeCallback(ctx, q.State, q.Browser)
	if err != nil {
		return c.unmatchedCallback(ctx, q.State, err)
	}
	t, err := c.store.Tenants.Get(ctx, a.TenantID)
	if err != nil {
		return Result{}, err
	}
	if q.Code == "" {
		return c.fail(ctx, a, t, errConsentRefused(q.Error), grant{})
	}
	g, stop := c.redeem(ctx, q.Code, verifier)
	if stop != nil {
		return c.fail(ctx, a, t, stop, g)
	}
	return c.decide(ctx, a, t, g)
}

// unmatchedCallback answers a callback or confirmation that no open attempt
// of this browser waits for; cause is why it was not taken.
func (c *Connector) unmatchedCallback(ctx context.Context, state string, cause error) (Result, error) {
	if !errors.Is(cause, models.ErrNotFound) && !errors.Is(cause, models.ErrLost) {
		return Result{}, cause
	}
	a, err := c.store.ConnectAttempts.ByStateAllTenants(ctx, state)
	if errors.Is(err, models.ErrNotFound) {
		return unknownResult, nil
	}
	if err != nil {
		return Result{}, err
	}
	t, err := c.store.Tenants.Get(ctx, a.TenantID)
	if err != nil {
		return Result{}, err
	}
	switch {
	case errors.Is(cause, models.ErrNotFound):
		c.log.Warn("consent came back in another browser", "tenant", a.TenantID, "attempt", a.ID)
		return c.withLink(t, errOtherBrowser()).Result, nil
	case a.Step == models.StepDirectory, a.Step == models.StepSubscriptions, a.Step == models.StepDone:
		return c.success(t, ""), nil // the page was reloaded
	case a.Step == models.StepFailed:
		return c.withLink(t, newConnectError(a.Code, nil, a.Message)).Result, nil
	}
	return c.withLink(t, errStale(cause)).Result, nil
}

// redeem trades the code for tokens and reads who consented. The grant is
// returned beside an error too, since it has to be given back.
func (c *Connector) redeem(ctx context.Context, code, verifier string) (grant, *ConnectError) {
	token, err := c.dp.Exchange(ctx, code, verifier)
	if err != nil {
		return grant{}, errExchange(err)
	}
	g := grant{Grant: grantOf(token)}
	me, err := c.dp.Me(ctx, token.Access)
	if err != nil {
		return g, errAfterExchange(err)
	}
	g.UserID, g.CompanyID = me.ID, me.CompanyID
	for _, e := range me.Emails {
		g.Emails = append(g.Emails, models.FoldEmail(e))
	}
	if !me.IsSuperAdmin {
		return g, errNotAdmin(g.email())
	}
	company, err := c.dp.Company(ctx, token.Access)
	switch {
	case dialpad.KindOf(err) == dialpad.Forbidden:
		return g, errNotAdmin(g.email())
	case err != nil:
		return g, errAfterExchange(err)
	}
	g.CompanyID = cmp.Or(g.CompanyID, company.ID)
	g.CompanyName = cmp.Or(company.Name, "Dialpad company "+g.CompanyID)
	return g, nil
}
