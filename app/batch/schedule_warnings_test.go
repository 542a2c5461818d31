package batch_test

import (
	"testing"
	"time"

	"dialpad-texting/app/batch"
	"dialpad-texting/app/walltime"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
)

// warningOf returns a batch's warning after one check of the schedules. A second
// check must not change it.
func warningOf(w *World, id string) string {
	w.T.Helper()
	_, err := w.Scheduler.WarnAllTenants(Ctx)
	Must(w.T, err)
	if n, err := w.Scheduler.WarnAllTenants(Ctx); err != nil || n != (batch.WarningCounts{}) {
		w.T.Errorf("a second check changed %+v, %v", n, err)
	}
	if v := w.MustView(id); v.Warning != nil {
		return *v.Warning
	}
	return ""
}

func TestWarningBeforeAScheduledTextFails(t *testing.T) {
	Each(t, func(t *testing.T, w *World) { // it is Monday, 10:00 in New York
		v := w.MustCreate(w.One("ben", "7", Bob), "k1", At("2026-03-06T09:00", "America/New_York", ""))
		if got := warningOf(w, v.ID); got != "" {
			t.Errorf("well, and warned: %s", got)
		}
		for state, want := range map[string]string{
			models.AccountSuspended: "Ben's Dialpad account is suspended: this will fail on Friday.",
			models.AccountDeleted:   "Ben's Dialpad account was deleted: this will fail on Friday.",
			models.AccountPending:   "Ben's Dialpad invitation has not been accepted yet: this will fail on Friday.",
			"paroled":               "Ben's Dialpad account is not active (paroled): this will fail on Friday.",
		} {
			w.SetAccount("2", "ben@acme.com", state)
			if got := warningOf(w, v.ID); got != want {
				t.Errorf("%s: %s", state, got)
			}
			w.SetAccount("2", "ben@acme.com", models.AccountActive)
			if got := warningOf(w, v.ID); got != "" {
				t.Errorf("well again, and warned: %s", got)
			}
		}
		w.SetAccount("2", "ben@elsewhere.com", models.AccountActive)
		if got := warningOf(w, v.ID); got != "Ben has no Dialpad account: this will fail on Friday." {
			t.Errorf("no account: %s", got)
		}
		w.SetAccount("2", "ben@acme.com", models.AccountActive)
		w.SetPlan("starter")
		if got := warningOf(w, v.ID); got != "The plan does not include Dialpad: this will be held on Friday." {
			t.Errorf("plan: %s", got)
		}
		w.Clock.Add(time.Second)
		w.SetPlan("business")
		Must(t, w.DB.Connections.Disconnect(Ctx, "t_9"))
		if got := warningOf(w, v.ID); got != "Dialpad is not connected: this will be held on Friday." {
			t.Errorf("connection: %s", got)
		}
	})
}

func TestWarningNamesTheDay(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		days := map[string]string{"2026-03-02T23:30": "today", "2026-03-03T00:30": "tomorrow", "2026-03-08T09:00": "on Sunday", "2026-03-09T09:00": "on March 9",
			"2027-01-07T09:00": "on January 7, 2027"}
		ids := map[string]string{}
		for local := range days {
			ids[local] = w.MustCreate(w.One("ben", "7", Bob), local, At(local, "America/New_York", "")).ID
		}
		w.SetAccount("2", "ben@acme.com", models.AccountSuspended)
		for local, day := range days {
			if got := warningOf(w, ids[local]); got != "Ben's Dialpad account is suspended: this will fail "+day+"." {
				t.Errorf("%s: %s", local, got)
			}
		}
	})
}

func TestEditOfTheSenderClearsTheWarning(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ben", "7", Bob), "k1", At("2026-03-06T09:00", "America/New_York", ""))
		w.SetAccount("2", "ben@acme.com", models.AccountSuspended)
		warningOf(w, v.ID)
		Must(t, w.DB.Users.Save(Ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Active: true}}))
		ana := "42"
		e, err := w.ViewOf(w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{SenderUserID: &ana}))
		if err != nil || e.Warning != nil || warningOf(w, v.ID) != "" {
			t.Errorf("%v, %v", e.Warning, err)
		}
		w.SetAccount("1", "ana@acme.com", models.AccountSuspended)
		if got := warningOf(w, v.ID); got == "" || got[:3] == "Ben" {
			t.Errorf("the new sender's trouble: %q", got)
		}
	})
}

func TestEditRenewsTheWarning(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ben", "7", Bob), "k1", At("2026-03-06T09:00", "America/New_York", ""))
		w.SetAccount("2", "ben@acme.com", models.AccountSuspended)
		warningOf(w, v.ID)
		text := "Hello"
		v, err := w.ViewOf(w.Edit(Ctx, w.Page("ben"), v.ID, batch.EditRequest{Message: &text, Schedule: &walltime.Schedule{Local: "2026-03-05T09:00", TimeZone: "America/New_York"}}))
		Must(t, err)
		if v.Warning == nil || *v.Warning != "Ben's Dialpad account is suspended: this will fail on Thursday." || v.Text != text {
			t.Errorf("after the edit: %v", v.Warning)
		}
	})
}
