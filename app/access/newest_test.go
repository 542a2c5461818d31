package access_test

import (
	"errors"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// stored is the user 42 of t_9.
func (w *world) stored() models.User {
	w.t.Helper()
	u, err := w.db.Users.Get(ctx, "t_9", "42")
	must(w.t, err)
	return u
}

func TestNewestTokenCountsForTheUser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		older := w.launch(acme, crm.User{ID: "42", Email: "old@acme.com", Name: "Old", Role: "admin", TimeZone: "UTC", Locale: "en"}, nil)
		w.clock.Add(time.Second)
		newer := w.launch(acme, crm.User{ID: "42", Email: "new@acme.com", Name: "New", Role: "user", TimeZone: "UTC", Locale: "en"}, nil)
		w.clock.Add(time.Second)
		_, err := w.Launch(ctx, newer, crm.UsePage)
		must(t, err)
		late, err := w.Launch(ctx, older, crm.UsePage)
		must(t, err)
		if u := w.stored(); u.Email != "new@acme.com" || u.Name != "New" || u.Role != "user" {
			t.Errorf("an older token changed the user to %+v", u)
		}
		if s := late.Session; s.Email != "new@acme.com" || s.Name != "New" || s.Role != "user" {
			t.Errorf("an older token gave the session %+v", s)
		}
	})
}

// A token from a clock ahead must not shut out those that follow.
func TestTokenFromAClockAheadIsClipped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock.Add(8 * time.Second)
		ahead := w.launch(acme, ana, nil)
		w.clock.Add(-8 * time.Second)
		_, err := w.Launch(ctx, ahead, crm.UsePage)
		must(t, err)
		if u := w.stored(); u.UpdatedAt.After(w.clock.Now()) {
			t.Errorf("stored as of %v, now it is %v", u.UpdatedAt, w.clock.Now())
		}
		w.clock.Add(time.Second)
		demoted, renamed := ana, acme
		demoted.Role, renamed.Name = "user", "Acme Ltd"
		o, err := w.Launch(ctx, w.launch(renamed, demoted, nil), crm.UsePage)
		must(t, err)
		if o.Session.Role != "user" || w.stored().Role != "user" || o.Tenant.Name != "Acme Ltd" {
			t.Errorf("the next token did not count: %+v, %+v", o.Session, o.Tenant)
		}
	})
}

func TestTokenSignedBeforeADeactivationNeverReactivates(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.page()
		for name, deactivate := range map[string]func() error{
			"event":        func() error { return w.db.Users.Deactivate(ctx, "t_9", "42") },
			"list":         func() error { return w.db.Users.DeactivateUnseen(ctx, "t_9", w.clock.Now().Add(time.Second)) },
			"list, marked": func() error { return w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com"}}) },
		} {
			before := w.launch(acme, ana, nil)
			same := w.launch(acme, ana, nil)
			must(t, deactivate()) // in the very moment that they were signed
			if _, err := w.Launch(ctx, same, crm.UsePage); !errors.Is(err, crm.ErrLaunch) || w.stored().Active {
				t.Errorf("%s: %v, active %t", name, err, w.stored().Active)
			}
			w.clock.Add(30 * time.Second)
			if _, err := w.Launch(ctx, before, crm.UsePage); !errors.Is(err, crm.ErrLaunch) || w.stored().Active {
				t.Errorf("%s, later: %v, active %t", name, err, w.stored().Active)
			}
			w.page() // active again
			w.clock.Add(time.Second)
		}
	})
}

// The event may come before the first launch.
func TestUnknownUserIsDeactivatedToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bob := crm.User{ID: "77", Email: "bob@acme.com", Name: "Bob", Role: "user", TimeZone: "UTC", Locale: "en"}
		w.page()
		token := w.launch(acme, bob, nil)
		w.clock.Add(time.Second)
		must(t, w.db.Users.Deactivate(ctx, "t_9", "77"))
		if _, err := w.Launch(ctx, token, crm.UsePage); !errors.Is(err, crm.ErrLaunch) {
			t.Errorf("a token signed before: %v", err)
		}
		w.clock.Add(time.Second)
		if _, err := w.Launch(ctx, w.launch(acme, bob, nil), crm.UsePage); err != nil {
			t.Errorf("active again: %v", err)
		}
	})
}

// The CRM's list may have been asked for before a launch and arrive after.
func TestListThatWasReadBeforeALaunchChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		asked := w.clock.Now()
		w.clock.Add(time.Second)
		w.page()
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "old@acme.com", Name: "Old", UpdatedAt: asked}}))
		if u := w.stored(); u.Email != "ana@acme.com" || !u.Active || u.Role != "admin" {
			t.Errorf("%+v", u)
		}
		must(t, w.db.Users.DeactivateUnseen(ctx, "t_9", asked))
		if !w.stored().Active {
			t.Error("deactivated, though the list has the user")
		}
	})
}
