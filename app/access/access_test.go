package access_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/access"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

var ctx = context.Background()

// world is an Access over a real database with a CRM's secrets; the clock
// is stopped.
type world struct {
	*access.Access
	t       *testing.T
	db      *seed.DB
	clock   *seed.Clock
	secrets crm.Secrets
	n       int
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		secrets, err := crm.ParseSecrets("whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
		must(t, err)
		w := &world{t: t, clock: seed.NewClock(), secrets: secrets}
		w.db = seed.Store(t, dsn, w.clock.Now)
		w.Access = access.New(w.db.Store, crm.LaunchVerifier{Secrets: secrets, BaseDomain: "localhost:8090"}, nil)
		f(t, w)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	acme = crm.Tenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "business", TimeZone: "America/New_York"}
	ana  = crm.User{ID: "42", Email: "Ana@Acme.com", Name: "Ana Ruiz", Role: "admin", TimeZone: "America/New_York", Locale: "en-US"}
	one  = crm.LaunchTarget{Mode: "one", Module: "contact", RecordIDs: []string{"7"}, ToNumber: "+14155550142"}
)

// launch signs a token; ctx nil makes it one for a page.
func (w *world) launch(tenant crm.Tenant, user crm.User, c *crm.LaunchTarget) string {
	w.t.Helper()
	use := crm.UsePage
	if c != nil {
		use = crm.UsePopup
	}
	w.n++
	token, err := w.secrets.SignLaunch(crm.LaunchFor(tenant, user, use, c, "http://"+tenant.Linkname+".localhost:8090", fmt.Sprint("jti", w.n), w.clock.Now()))
	must(w.t, err)
	return token
}

func (w *world) popup() access.Opened {
	w.t.Helper()
	o, err := w.Launch(ctx, w.launch(acme, ana, &one), crm.UsePopup)
	must(w.t, err)
	return o
}

func (w *world) page() access.Opened {
	w.t.Helper()
	o, err := w.Launch(ctx, w.launch(acme, ana, nil), crm.UsePage)
	must(w.t, err)
	return o
}

func TestLaunchOfAPopupOpensASessionForItsCtx(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.popup()
		if o.Token == "" || o.Cookie != "" || o.Tenant.Name != "Acme Inc" || o.Tenant.Plan != "business" || o.Session.Origin != "http://acme.localhost:8090" {
			t.Errorf("opened %+v", o)
		}
		c, err := w.Bearer(ctx, o.Token, models.SessionPopup)
		must(t, err)
		want := one
		want.Count = 1
		if diff := cmp.Diff(&want, c.Ctx); diff != "" {
			t.Error(diff)
		}
		if c.Session.UserID != "42" || c.Session.Email != "ana@acme.com" || c.Session.Role != "admin" || c.Session.Locale != "en-US" || c.Tenant.ID != "t_9" {
			t.Errorf("caller %+v", c)
		}
		if u, err := w.db.Users.Get(ctx, "t_9", "42"); err != nil || u.Email != "ana@acme.com" || u.Role != "admin" || !u.Active {
			t.Errorf("user %+v %v", u, err)
		}
		if _, err := w.Bearer(ctx, o.Token, models.SessionPage); !errors.Is(err, access.ErrSession) {
			t.Errorf("a popup's token on a page: %v", err)
		}
	})
}

func TestLaunchTokenWorksOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		token := w.launch(acme, ana, &one)
		_, err := w.Launch(ctx, token, crm.UsePopup)
		must(t, err)
		if _, err := w.Launch(ctx, token, crm.UsePopup); !errors.Is(err, crm.ErrLaunch) || !strings.Contains(err.Error(), "used before") {
			t.Errorf("a second time: %v", err)
		}
		w.clock.Add(69 * time.Second) // within the verifier's leeway
		if _, err := w.db.DeleteExpiredAllTenants(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Launch(ctx, token, crm.UsePopup); !errors.Is(err, crm.ErrLaunch) || !strings.Contains(err.Error(), "used before") {
			t.Errorf("at the end of its life: %v", err)
		}
	})
}

func TestRefusedLaunchesOpenNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bad := one
		bad.RecordIDs = nil
		if _, err := w.Launch(ctx, w.launch(acme, ana, &bad), crm.UsePopup); !errors.Is(err, crm.ErrCtx) {
			t.Errorf("a bad ctx: %v", err)
		}
		if _, err := w.Launch(ctx, w.launch(acme, ana, &one), crm.UsePage); !errors.Is(err, crm.ErrLaunch) {
			t.Errorf("another use: %v", err)
		}
		if _, err := w.Launch(ctx, "no token", crm.UsePage); !errors.Is(err, crm.ErrLaunch) {
			t.Errorf("no token: %v", err)
		}
		if _, err := w.db.Store.Tenants.Get(ctx, "t_9"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a tenant was stored: %v", err)
		}
	})
}

func TestLatestSignedTenantIsStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		older := w.launch(acme, ana, &one)
		w.clock.Add(30 * time.Second)
		changed := acme
		changed.Plan, changed.Name = "starter", "Acme Ltd"
		o, err := w.Launch(ctx, w.launch(changed, ana, nil), crm.UsePage)
		if err != nil || o.Tenant.Plan != "starter" {
			t.Fatalf("newer: %+v %v", o.Tenant, err)
		}
		o, err = w.Launch(ctx, older, crm.UsePopup)
		if err != nil || o.Tenant.Plan != "starter" || o.Tenant.Name != "Acme Ltd" {
			t.Errorf("an older signature won: %+v %v", o.Tenant, err)
		}
	})
}

func TestSessionsExpireWhenIdleAndAfterEightHours(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		idle, busy := w.popup(), w.popup()
		for range 32 {
			w.clock.Add(14 * time.Minute)
			if _, err := w.Bearer(ctx, busy.Token); err != nil {
				t.Fatalf("a session in use ended at %v: %v", w.clock.Now(), err)
			}
		}
		if _, err := w.Bearer(ctx, idle.Token); !errors.Is(err, access.ErrSession) {
			t.Errorf("idle: %v", err)
		}
		w.clock.Add(14 * time.Minute)
		_, err := w.Bearer(ctx, busy.Token)
		must(t, err)
		w.clock.Add(14 * time.Minute)
		w.clock.Add(5 * time.Minute)
		if _, err := w.Bearer(ctx, busy.Token); !errors.Is(err, access.ErrSession) {
			t.Errorf("after eight hours: %v", err)
		}
		if _, err := w.Bearer(ctx, ""); !errors.Is(err, access.ErrSession) {
			t.Errorf("no token: %v", err)
		}
	})
}

func TestCookieOpensPagesButIsNoBearerToken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.page()
		if o.Cookie == "" || o.Cookie == o.Token {
			t.Fatal("no cookie of its own")
		}
		for _, kinds := range [][]string{nil, {models.SessionCookie}, {models.SessionPage, models.SessionPopup, models.SessionCookie}} {
			if _, err := w.Bearer(ctx, o.Cookie, kinds...); !errors.Is(err, access.ErrSession) {
				t.Errorf("the cookie authorises a call of %v: %v", kinds, err)
			}
		}
		if _, err := w.Renewable(ctx, o.Cookie); !errors.Is(err, access.ErrSession) {
			t.Errorf("the cookie renews: %v", err)
		}
		if _, err := w.Cookie(ctx, o.Token); !errors.Is(err, access.ErrSession) {
			t.Errorf("a bearer opens a page: %v", err)
		}
		w.clock.Add(10 * time.Minute)
		again, err := w.Cookie(ctx, o.Cookie)
		if err != nil || again.Token == o.Token || again.Cookie != "" || again.Session.Kind != models.SessionPage || again.Session.Origin != "http://acme.localhost:8090" {
			t.Fatalf("again: %+v %v", again, err)
		}
		if c, err := w.Bearer(ctx, again.Token, models.SessionPage); err != nil || c.Session.UserID != "42" || c.Ctx != nil {
			t.Errorf("its bearer: %+v %v", c, err)
		}
		w.clock.Add(time.Hour) // of work in the page, which does not use the cookie
		if _, err := w.Cookie(ctx, o.Cookie); err != nil {
			t.Errorf("after an hour: %v", err)
		}
		w.clock.Add(access.MaxAge)
		if _, err := w.Cookie(ctx, o.Cookie); !errors.Is(err, access.ErrSession) {
			t.Errorf("a cookie past its end: %v", err)
		}
	})
}

func TestPageOpenedByCookieExpiresWithTheCookie(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.page()
		var last access.Opened
		for range 47 {
			w.clock.Add(10 * time.Minute)
			var err error
			last, err = w.Cookie(ctx, o.Cookie)
			must(t, err)
		}
		if !last.Session.ExpiresAt.Equal(o.Session.ExpiresAt) {
			t.Errorf("ends at %v, the cookie at %v", last.Session.ExpiresAt, o.Session.ExpiresAt)
		}
		w.clock.Add(10*time.Minute + time.Second)
		if _, err := w.Cookie(ctx, o.Cookie); !errors.Is(err, access.ErrSession) {
			t.Errorf("after eight hours: %v", err)
		}
		if _, err := w.Bearer(ctx, last.Token); !errors.Is(err, access.ErrSession) {
			t.Errorf("its page after eight hours: %v", err)
		}
	})
}

// Reloads fill no table, and two tabs of one cookie do not end each other.
func TestReloadsReuseASession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.page()
		first, err := w.Cookie(ctx, o.Cookie)
		must(t, err)
		before := w.db.CountSessions("t_9")
		w.clock.Add(access.Idle + time.Minute) // the page's bearer idled out
		for range 20 {
			again, err := w.Cookie(ctx, o.Cookie)
			must(t, err)
			if again.Token != first.Token {
				t.Fatal("another bearer")
			}
		}
		if n := w.db.CountSessions("t_9"); n != before {
			t.Errorf("20 reloads made %d sessions", n-before)
		}
		if _, err := w.Bearer(ctx, first.Token, models.SessionPage); err != nil {
			t.Errorf("the page after a reload: %v", err)
		}
		if other, err := w.Cookie(ctx, w.page().Cookie); err != nil || other.Token == first.Token {
			t.Errorf("another cookie's page: %v", err)
		}
	})
}

func TestDeactivatedUserHasNoSession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		before, popup, page := w.launch(acme, ana, &one), w.popup(), w.page()
		w.clock.Add(time.Second)
		must(t, w.db.Users.DeactivateUnseen(ctx, "t_9", w.clock.Now())) // as SyncUsers does, which ends no session
		for what, err := range map[string]error{
			"popup": second(w.Bearer(ctx, popup.Token)), "page": second(w.Bearer(ctx, page.Token)), "renewing": second(w.Renewable(ctx, page.Token)),
			"cookie": second(w.Cookie(ctx, page.Cookie)),
		} {
			if !errors.Is(err, access.ErrSession) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := w.Launch(ctx, before, crm.UsePopup); !errors.Is(err, crm.ErrLaunch) {
			t.Errorf("a token signed before: %v", err)
		}
		w.clock.Add(time.Second)
		if o := w.popup(); o.Token == "" {
			t.Error("activated again, the user gets no session")
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestLatestRoleCounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.page()
		demoted := ana
		demoted.Role = "user"
		_, err := w.Launch(ctx, w.launch(acme, demoted, nil), crm.UsePage)
		must(t, err)
		if c, err := w.Bearer(ctx, o.Token); err != nil || c.Session.Role != "user" {
			t.Errorf("the older session is still %q, %v", c.Session.Role, err)
		}
	})
}

func TestRenewKeepsTenantUserAndCtx(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bulk := crm.LaunchTarget{Mode: "bulk", Module: "deal", RecordIDs: []string{"7", "8"}, Count: 2}
		o, err := w.Launch(ctx, w.launch(acme, ana, &bulk), crm.UsePopup)
		must(t, err)
		w.clock.Add(20 * time.Minute) // longer than a session may be idle
		if _, err := w.Bearer(ctx, o.Token); !errors.Is(err, access.ErrSession) {
			t.Fatalf("an idle session: %v", err)
		}
		caller, err := w.Renewable(ctx, o.Token)
		must(t, err)
		if _, err := w.Bearer(ctx, o.Token); !errors.Is(err, access.ErrSession) {
			t.Errorf("asking whether it can be renewed woke it: %v", err)
		}
		ben, globex := ana, acme
		ben.ID = "43"
		globex.ID = "t_10"
		with := func(change func(c *crm.LaunchTarget)) *crm.LaunchTarget {
			c := bulk
			change(&c)
			return &c
		}
		for what, token := range map[string]string{
			"another user":      w.launch(acme, ben, &bulk),
			"another tenant":    w.launch(globex, ana, &bulk),
			"other records":     w.launch(acme, ana, with(func(c *crm.LaunchTarget) { c.RecordIDs = []string{"7", "9"} })),
			"fewer records":     w.launch(acme, ana, with(func(c *crm.LaunchTarget) { c.RecordIDs = []string{"7"} })),
			"another module":    w.launch(acme, ana, with(func(c *crm.LaunchTarget) { c.Module = "contact" })),
			"one record":        w.launch(acme, ana, &one),
			"a selection":       w.launch(acme, ana, with(func(c *crm.LaunchTarget) { c.RecordIDs, c.Selection = nil, "s1" })),
			"a page":            w.launch(acme, ana, nil),
			"something made up": "x.y.z",
		} {
			if _, _, err := w.Renew(ctx, caller, token); !errors.Is(err, crm.ErrLaunch) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := w.db.Store.Tenants.Get(ctx, "t_10"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a refused renewal stored its tenant: %v", err)
		}
		same := w.launch(acme, ana, with(func(c *crm.LaunchTarget) { c.RecordIDs = []string{"8", "7"} }))
		token, expires, err := w.Renew(ctx, caller, same)
		if err != nil || token == o.Token || !expires.Equal(w.clock.Now().Add(15*time.Minute)) {
			t.Fatalf("the same: %v until %v", err, expires)
		}
		if c, err := w.Bearer(ctx, token, models.SessionPopup); err != nil || c.Ctx.Mode != "bulk" {
			t.Errorf("the new session: %+v %v", c, err)
		}
		if _, _, err := w.Renew(ctx, caller, same); !errors.Is(err, crm.ErrLaunch) {
			t.Errorf("the same token again: %v", err)
		}
	})
}

func TestPageRenewsWithAPageToken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		caller, err := w.Bearer(ctx, w.page().Token)
		must(t, err)
		if _, _, err := w.Renew(ctx, caller, w.launch(acme, ana, &one)); !errors.Is(err, crm.ErrLaunch) {
			t.Errorf("with a popup's: %v", err)
		}
		token, _, err := w.Renew(ctx, caller, w.launch(acme, ana, nil))
		must(t, err)
		if c, err := w.Bearer(ctx, token, models.SessionPage); err != nil || c.Ctx != nil {
			t.Errorf("%+v %v", c, err)
		}
	})
}
