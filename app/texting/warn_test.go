package texting_test

import (
	"testing"
	"time"

	"dialpad-texting/app/texting"
	"dialpad-texting/models"
)

// warned is what one look at the schedules makes a batch say; it must say the same after a second look.
func (w *world) warned(id string) string {
	w.t.Helper()
	_, err := w.WarnAllTenants(ctx)
	must(w.t, err)
	if n, err := w.WarnAllTenants(ctx); err != nil || n != (texting.WarnCounts{}) {
		w.t.Errorf("a second look changed %+v, %v", n, err)
	}
	if v := w.view(id); v.Warning != nil {
		return *v.Warning
	}
	return ""
}

func TestASenderIsWarnedBeforeAScheduledTextFails(t *testing.T) {
	each(t, func(t *testing.T, w *world) { // it is Monday, 10:00 in New York
		v := w.create(w.one("ben", "7", bob), "k1", at("2026-03-06T09:00", "America/New_York", ""))
		if got := w.warned(v.ID); got != "" {
			t.Errorf("well, and warned: %s", got)
		}
		for state, want := range map[string]string{
			models.AccountSuspended: "Ben's Dialpad account is suspended: this will fail on Friday.",
			models.AccountDeleted:   "Ben's Dialpad account was deleted: this will fail on Friday.",
			models.AccountPending:   "Ben's Dialpad invitation has not been accepted yet: this will fail on Friday.",
			"paroled":               "Ben's Dialpad account is not active (paroled): this will fail on Friday.",
		} {
			w.account("2", "ben@acme.com", state)
			if got := w.warned(v.ID); got != want {
				t.Errorf("%s: %s", state, got)
			}
			w.account("2", "ben@acme.com", models.AccountActive)
			if got := w.warned(v.ID); got != "" {
				t.Errorf("well again, and warned: %s", got)
			}
		}
		w.account("2", "ben@elsewhere.com", models.AccountActive)
		if got := w.warned(v.ID); got != "Ben has no Dialpad account: this will fail on Friday." {
			t.Errorf("no account: %s", got)
		}
		w.account("2", "ben@acme.com", models.AccountActive)
		w.plan("starter")
		if got := w.warned(v.ID); got != "The plan does not include Dialpad: this will be held on Friday." {
			t.Errorf("plan: %s", got)
		}
		w.clock.Add(time.Second)
		w.plan("business")
		must(t, w.db.Connections.Disconnect(ctx, "t_9"))
		if got := w.warned(v.ID); got != "Dialpad is not connected: this will be held on Friday." {
			t.Errorf("connection: %s", got)
		}
	})
}

func TestTheDayIsNamedAsPeopleSayIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		days := map[string]string{"2026-03-02T23:30": "today", "2026-03-03T00:30": "tomorrow", "2026-03-08T09:00": "on Sunday", "2026-03-09T09:00": "on March 9",
			"2027-01-07T09:00": "on January 7, 2027"}
		ids := map[string]string{}
		for local := range days {
			ids[local] = w.create(w.one("ben", "7", bob), local, at(local, "America/New_York", "")).ID
		}
		w.account("2", "ben@acme.com", models.AccountSuspended)
		for local, day := range days {
			if got := w.warned(ids[local]); got != "Ben's Dialpad account is suspended: this will fail "+day+"." {
				t.Errorf("%s: %s", local, got)
			}
		}
	})
}

func TestAnotherSenderEndsTheWarning(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ben", "7", bob), "k1", at("2026-03-06T09:00", "America/New_York", ""))
		w.account("2", "ben@acme.com", models.AccountSuspended)
		w.warned(v.ID)
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Active: true}}))
		ana := "42"
		e, err := w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{SenderUserID: &ana})
		if err != nil || e.Warning != nil || w.warned(v.ID) != "" {
			t.Errorf("%v, %v", e.Warning, err)
		}
		w.account("1", "ana@acme.com", models.AccountSuspended)
		if got := w.warned(v.ID); got == "" || got[:3] == "Ben" {
			t.Errorf("the new sender's trouble: %q", got)
		}
	})
}

func TestAnEditLooksAheadAnew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ben", "7", bob), "k1", at("2026-03-06T09:00", "America/New_York", ""))
		w.account("2", "ben@acme.com", models.AccountSuspended)
		w.warned(v.ID)
		text := "Hello"
		v, err := w.Edit(ctx, w.page("ben"), v.ID, texting.EditRequest{Message: &text, Schedule: &texting.Schedule{Local: "2026-03-05T09:00", TimeZone: "America/New_York"}})
		must(t, err)
		if v.Warning == nil || *v.Warning != "Ben's Dialpad account is suspended: this will fail on Thursday." || v.Text != text {
			t.Errorf("after the edit: %v", v.Warning)
		}
	})
}
