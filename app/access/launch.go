package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// Launch opens a session for a launch token made for use (crm.UsePopup,
// crm.UsePage) and stores what the CRM signed about tenant and user. Errors:
// crm.ErrLaunch, also for a used token, and crm.ErrCtx.
func (a *Access) Launch(ctx context.Context, token, use string) (Opened, error) {
	l, err := a.verifier.Verify(token, use)
	if err != nil {
		return Opened{}, err
	}
	var out Opened
	err = a.store.Tx(ctx, func(tx *models.Store) error {
		out, err = a.openSession(ctx, tx, l)
		if err != nil || l.Use != crm.UsePage {
			return err
		}
		cookie := out.Session
		cookie.Kind = models.SessionCookie
		out.Cookie, err = tx.Sessions.Create(ctx, cookie)
		return err
	})
	if err != nil {
		return Opened{}, err
	}
	return out, nil
}

// openSession uses up a verified launch and makes its bearer session.
func (a *Access) openSession(ctx context.Context, tx *models.Store, l crm.Launch) (Opened, error) {
	if err := tx.Sessions.UseToken(ctx, l.Tenant.ID, l.JTI, l.ExpiresAt.Add(leeway)); err != nil {
		if errors.Is(err, models.ErrConflict) {
			err = fmt.Errorf("%w: it was used before", crm.ErrLaunch)
		}
		return Opened{}, err
	}
	signedAt := l.IssuedAt
	if now := a.now(); signedAt.After(now) {
		signedAt = now // a clock ahead must not shut out the next token
	}
	t, err := tx.Tenants.SaveSigned(ctx, models.SignedTenant{ID: l.Tenant.ID, Linkname: l.Tenant.Linkname, Name: l.Tenant.Name,
		Plan: l.Tenant.Plan, TimeZone: l.Tenant.TimeZone, SignedAt: signedAt})
	if err != nil {
		return Opened{}, err
	}
	u, err := saveUser(ctx, tx, l, signedAt)
	if err != nil {
		return Opened{}, err
	}
	s := models.Session{Kind: models.SessionPopup, TenantID: t.ID, UserID: u.UserID, Email: u.Email,
		Name: u.Name, Role: u.Role, TimeZone: l.User.TimeZone, Locale: l.User.Locale, Origin: l.Issuer,
		ExpiresAt: a.now().Add(MaxAge).UTC()}
	if l.Use == crm.UsePage {
		s.Kind = models.SessionPage
	}
	if l.Ctx != nil {
		if s.Ctx, err = json.Marshal(l.Ctx); err != nil {
			return Opened{}, err
		}
	}
	token, err := tx.Sessions.Create(ctx, s)
	return Opened{Session: s, Token: token, Tenant: t, Ctx: l.Ctx}, err
}

// saveUser stores the user as signed and returns what counts: that, or
// what was said later. It refuses a token that was not signed after the
// user was deactivated.
func saveUser(ctx context.Context, tx *models.Store, l crm.Launch, signedAt time.Time) (models.User, error) {
	deactivated := fmt.Errorf("%w: the user was deactivated", crm.ErrLaunch)
	u, err := tx.Users.Get(ctx, l.Tenant.ID, l.User.ID)
	switch {
	case err != nil && !errors.Is(err, models.ErrNotFound):
		return u, err
	case err == nil && !u.Active && !signedAt.After(u.UpdatedAt):
		return u, deactivated
	}
	if err := tx.Users.Save(ctx, l.Tenant.ID, []models.User{{UserID: l.User.ID, Email: l.User.Email, Name: l.User.Name,
		Role: l.User.Role, Active: true, UpdatedAt: signedAt}}); err != nil {
		return u, err
	}
	// Saved by now, or deactivated by an event that came in between.
	if u, err = tx.Users.Get(ctx, l.Tenant.ID, l.User.ID); err == nil && !u.Active {
		err = deactivated
	}
	return u, err
}

// Renew trades a launch token for a new bearer token of the caller's tenant,
// user and ctx; expires is when it ends if it is not used. The old one stays
// valid until its own end, since calls with it may be in flight. Errors as
// Launch's, and ErrOther.
func (a *Access) Renew(ctx context.Context, c Caller, launchToken string) (token string, expires time.Time, err error) {
	use := crm.UsePopup
	if c.Session.Kind == models.SessionPage {
		use = crm.UsePage
	}
	l, err := a.verifier.Verify(launchToken, use)
	if err != nil {
		return "", time.Time{}, err
	}
	if l.Tenant.ID != c.Session.TenantID || l.User.ID != c.Session.UserID || !sameCtx(l.Ctx, c.Ctx) {
		return "", time.Time{}, ErrOther
	}
	err = a.store.Tx(ctx, func(tx *models.Store) error {
		out, err := a.openSession(ctx, tx, l)
		token = out.Token
		return err
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return token, a.now().Add(Idle).UTC(), nil
}

// sameCtx compares what two launches are about. Record ids may come as
// numbers or strings, in any order; an empty list equals none.
func sameCtx(a, b *crm.LaunchTarget) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Mode == b.Mode && a.Module == b.Module && a.Selection == b.Selection && a.Count == b.Count && a.ToNumber == b.ToNumber &&
		slices.Equal(slices.Sorted(slices.Values(a.RecordIDs)), slices.Sorted(slices.Values(b.RecordIDs)))
}
