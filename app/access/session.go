package access

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// Bearer returns whom a session token speaks for. kinds restricts it to
// models.SessionPopup or SessionPage (none: both); a cookie's value is never
// a bearer token. ErrSession if there is no such session any more.
func (a *Access) Bearer(ctx context.Context, token string, kinds ...string) (Caller, error) {
	if !models.IsSecret(token) {
		return Caller{}, ErrSession
	}
	s, err := a.store.Sessions.ByTokenAllTenants(ctx, token, Idle, bearerKinds(kinds)...)
	if err != nil {
		return Caller{}, noSession(err)
	}
	return a.caller(ctx, s)
}

// Renewable is Bearer for Renew alone. It also accepts a session that was
// idle for too long, since the new launch token proves more.
func (a *Access) Renewable(ctx context.Context, token string) (Caller, error) {
	if !models.IsSecret(token) {
		return Caller{}, ErrSession
	}
	s, err := a.store.Sessions.IdleByTokenAllTenants(ctx, token, bearerKinds(nil)...)
	if err != nil {
		return Caller{}, noSession(err)
	}
	return a.caller(ctx, s)
}

// Cookie reopens a page: it returns the bearer token of the pages that the
// cookie opens, the same each time, so that reloads fill no table. The
// cookie does not idle out, since work in an open page uses its bearer
// token alone.
func (a *Access) Cookie(ctx context.Context, value string) (Opened, error) {
	if !models.IsSecret(value) {
		return Opened{}, ErrSession
	}
	s, err := a.store.Sessions.ByTokenAllTenants(ctx, value, MaxAge, models.SessionCookie)
	if err != nil {
		return Opened{}, noSession(err)
	}
	c, err := a.caller(ctx, s)
	if err != nil {
		return Opened{}, err
	}
	page := c.Session
	page.Kind, page.Ctx = models.SessionPage, nil
	token := models.DeriveSecret(value, "bearer of the reopened page")
	err = a.store.Sessions.Reopen(ctx, token, page)
	return Opened{Session: page, Token: token, Tenant: c.Tenant}, err
}

func bearerKinds(kinds []string) []string {
	if len(kinds) == 0 {
		return []string{models.SessionPopup, models.SessionPage}
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return k == models.SessionCookie })
}

func noSession(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return ErrSession
	}
	return err
}

// caller reads the user as stored now: a deactivated one has no session, and
// the CRM's latest role counts.
func (a *Access) caller(ctx context.Context, s models.Session) (Caller, error) {
	t, err := a.store.Tenants.Get(ctx, s.TenantID)
	if err != nil {
		return Caller{}, noSession(err)
	}
	u, err := a.store.Users.Get(ctx, s.TenantID, s.UserID)
	if err != nil {
		return Caller{}, noSession(err)
	}
	if !u.Active {
		return Caller{}, ErrSession
	}
	s.Role = cmp.Or(u.Role, s.Role)
	var c *crm.LaunchTarget
	if len(s.Ctx) > 0 {
		if err := json.Unmarshal(s.Ctx, &c); err != nil {
			return Caller{}, fmt.Errorf("read a session's ctx: %w", err)
		}
	}
	return Caller{Session: s, Tenant: t, Ctx: c}, nil
}
