// Package access knows who is asking: launch tokens of the CRM, the sessions they open, and the cookie that opens a page
// again.
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

const (
	// Idle is how long a session lasts that is not used.
	Idle = 15 * time.Minute
	// MaxAge is how long a session lasts at most.
	MaxAge = 8 * time.Hour
	// leeway is the verifier's: a token may be used for so long after it expired, and is remembered as long.
	leeway = 10 * time.Second
)

// ErrSession is a session that does not exist, is over, or whose user was deactivated: answer 401.
var ErrSession = errors.New("no such session")

// ErrOther is a launch token that is good, but for another tenant, user or ctx than the session it should renew.
var ErrOther = fmt.Errorf("%w: the token is for another tenant, user or ctx", crm.ErrLaunch)

// Access answers for all tenants. Safe for concurrent use.
type Access struct {
	store    *models.Store
	verifier crm.LaunchVerifier
	now      func() time.Time
}

// New makes an Access. now nil is the store's clock.
func New(store *models.Store, verifier crm.LaunchVerifier, now func() time.Time) *Access {
	if now == nil {
		now = store.Now
	}
	if verifier.Now == nil {
		verifier.Now = now
	}
	return &Access{store: store, verifier: verifier, now: now}
}

// Opened is a session and its secrets, which are nowhere else: Token is the page's bearer, Cookie opens a page again.
type Opened struct {
	Session models.Session
	Token   string
	Cookie  string // "" but for a launch of use page
	Tenant  models.Tenant
	Ctx     *crm.Ctx // nil for pages
}

// Caller is who a bearer token speaks for.
type Caller struct {
	Session models.Session
	Tenant  models.Tenant
	Ctx     *crm.Ctx // nil for pages
}

// Launch opens a session for a launch token made for use (crm.UsePopup, crm.UsePage). What the CRM signed of tenant
// and user is stored. Errors: crm.ErrLaunch, also for a token that was used before, and crm.ErrCtx.
func (a *Access) Launch(ctx context.Context, token, use string) (Opened, error) {
	l, err := a.verifier.Verify(token, use)
	if err != nil {
		return Opened{}, err
	}
	var out Opened
	err = a.store.Tx(ctx, func(tx *models.Store) error {
		out, err = a.admit(ctx, tx, l)
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

// admit takes a verified launch, once, and makes its bearer session.
func (a *Access) admit(ctx context.Context, tx *models.Store, l crm.Launch) (Opened, error) {
	if err := tx.Sessions.UseToken(ctx, l.Tenant.ID, l.JTI, l.ExpiresAt.Add(leeway)); err != nil {
		if errors.Is(err, models.ErrConflict) {
			err = fmt.Errorf("%w: it was used before", crm.ErrLaunch)
		}
		return Opened{}, err
	}
	t, err := tx.Tenants.SaveSigned(ctx, models.SignedTenant{ID: l.Tenant.ID, Linkname: l.Tenant.Linkname, Name: l.Tenant.Name,
		Plan: l.Tenant.Plan, TimeZone: l.Tenant.TimeZone, SignedAt: l.IssuedAt})
	if err != nil {
		return Opened{}, err
	}
	if err := a.saveUser(ctx, tx, l); err != nil {
		return Opened{}, err
	}
	s := models.Session{Kind: models.SessionPopup, TenantID: t.ID, UserID: l.User.ID, Email: models.FoldEmail(l.User.Email),
		Name: l.User.Name, Role: l.User.Role, TimeZone: l.User.TimeZone, Locale: l.User.Locale, Origin: l.Issuer,
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

// saveUser stores the user as signed. A token that was signed before the user was deactivated opens nothing.
func (a *Access) saveUser(ctx context.Context, tx *models.Store, l crm.Launch) error {
	u, err := tx.Users.Get(ctx, l.Tenant.ID, l.User.ID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	if err == nil && !u.Active && u.UpdatedAt.After(l.IssuedAt) {
		return fmt.Errorf("%w: the user was deactivated", crm.ErrLaunch)
	}
	return tx.Users.Save(ctx, l.Tenant.ID, []models.User{{UserID: l.User.ID, Email: l.User.Email, Name: l.User.Name,
		Role: l.User.Role, Active: true}})
}

// Bearer finds whom a session token speaks for; kinds restricts it to models.SessionPopup or SessionPage (none: both).
// A cookie's value is never a bearer. ErrSession when there is no such session any more.
func (a *Access) Bearer(ctx context.Context, token string, kinds ...string) (Caller, error) {
	s, err := a.store.Sessions.ByTokenAllTenants(ctx, token, Idle, bearerKinds(kinds)...)
	if err != nil {
		return Caller{}, noSession(err)
	}
	return a.caller(ctx, s)
}

// Renewable is Bearer for Renew alone: the session may have been idle for too long, since a new launch token proves
// more than it does.
func (a *Access) Renewable(ctx context.Context, token string) (Caller, error) {
	s, err := a.store.Sessions.IdleByTokenAllTenants(ctx, token, bearerKinds(nil)...)
	if err != nil {
		return Caller{}, noSession(err)
	}
	return a.caller(ctx, s)
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

// caller looks at the user as of now: a deactivated one is nobody, and the CRM's newest word on the role counts.
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
	if u.Role != "" {
		s.Role = u.Role
	}
	var c *crm.Ctx
	if len(s.Ctx) > 0 {
		if err := json.Unmarshal(s.Ctx, &c); err != nil {
			return Caller{}, fmt.Errorf("read a session's ctx: %w", err)
		}
	}
	return Caller{Session: s, Tenant: t, Ctx: c}, nil
}

// Cookie opens a page again: a new bearer for the page that the cookie stands for. The cookie lives until its own end
// and does not idle out: somebody at work in a page uses its bearer, which the cookie does not hear of.
func (a *Access) Cookie(ctx context.Context, value string) (Opened, error) {
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
	token, err := a.store.Sessions.Create(ctx, page)
	return Opened{Session: page, Token: token, Tenant: c.Tenant}, err
}

// Renew trades a launch token for a new bearer of the same tenant, user and ctx as the caller's; expires is when it
// ends if it is not used. The old one goes on to its own end, since calls with it may be under way. Errors as
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
		out, err := a.admit(ctx, tx, l)
		token = out.Token
		return err
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return token, a.now().Add(Idle).UTC(), nil
}

// sameCtx compares what two launches are about, however the CRM wrote it: ids as numbers or strings, in any order, an
// empty list or none.
func sameCtx(a, b *crm.Ctx) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Mode == b.Mode && a.Module == b.Module && a.Selection == b.Selection && a.Count == b.Count && a.ToNumber == b.ToNumber &&
		slices.Equal(slices.Sorted(slices.Values(a.RecordIDs)), slices.Sorted(slices.Values(b.RecordIDs)))
}
