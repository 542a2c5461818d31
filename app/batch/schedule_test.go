package batch_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"dialpad-texting/app/apierror"
	. "dialpad-texting/app/apptest"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/walltime"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

func TestScheduleResolvesWallTimes(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		for i, c := range []struct{ local, zone, want, offset string }{
			{"2026-03-03T09:00", "America/New_York", "2026-03-03T14:00:00Z", "-05:00"},
			{"2026-03-09T09:00", "America/New_York", "2026-03-09T13:00:00Z", "-04:00"},
			{"2026-03-08T01:59", "America/New_York", "2026-03-08T06:59:00Z", "-05:00"},
			{"2026-03-08T03:00", "America/New_York", "2026-03-08T07:00:00Z", "-04:00"},
			{"2026-11-01T02:00", "America/New_York", "2026-11-01T07:00:00Z", "-05:00"},
			{"2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00:00Z", "+02:00"},
			{"2026-12-24T18:00", "Europe/Berlin", "2026-12-24T17:00:00Z", "+01:00"},
			{"2026-10-04T02:30", "Australia/Lord_Howe", "2026-10-03T15:30:00Z", "+11:00"},
			{"2026-07-01T09:00", "Australia/Lord_Howe", "2026-06-30T22:30:00Z", "+10:30"},
			{"2026-03-08T02:30", "Asia/Kathmandu", "2026-03-07T20:45:00Z", "+05:45"},
			{"2026-03-08T02:30", "America/Phoenix", "2026-03-08T09:30:00Z", "-07:00"},
			{"2026-11-01T01:30", "America/Phoenix", "2026-11-01T08:30:00Z", "-07:00"},
		} {
			v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7"), fmt.Sprint("k", i), At(c.local, c.zone, ""))
			if got := v.SendAt.Format(time.RFC3339); got != c.want || v.State != models.BatchScheduled || *v.Schedule != (walltime.Schedule{Local: c.local, TimeZone: c.zone, Offset: c.offset}) {
				t.Errorf("%s in %s is %s, %+v", c.local, c.zone, got, v.Schedule)
			}
		}
	})
}

func TestScheduleOffersChoicesAtClockChanges(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		for i, c := range []struct {
			local, zone, code string
			instants          [2]string
		}{
			{"2026-03-08T02:30", "America/New_York", "time_missing", [2]string{"2026-03-08T06:30:00Z", "2026-03-08T07:30:00Z"}},
			{"2026-11-01T01:30", "America/New_York", "time_ambiguous", [2]string{"2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"}},
			{"2026-03-29T02:30", "Europe/Berlin", "time_missing", [2]string{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}},
			{"2026-10-25T02:30", "Europe/Berlin", "time_ambiguous", [2]string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}},
			{"2026-10-04T02:15", "Australia/Lord_Howe", "time_missing", [2]string{"2026-10-03T15:15:00Z", "2026-10-03T15:45:00Z"}},
			{"2026-04-05T01:45", "Australia/Lord_Howe", "time_ambiguous", [2]string{"2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"}},
		} {
			_, err := w.Create(Ctx, w.Bulk("ana", crm.ModuleContact, "7"), "asked", At(c.local, c.zone, ""))
			var p *apierror.Error
			if !errors.As(err, &p) || p.Code != c.code {
				t.Errorf("%s in %s: %v", c.local, c.zone, err)
				continue
			}
			choices := p.Details["choices"].([]walltime.Choice)
			if len(choices) != 2 || choices[0].Label == choices[1].Label {
				t.Fatalf("choices %+v", choices)
			}
			for j, choice := range choices {
				if got := choice.At.Format(time.RFC3339); got != c.instants[j] {
					t.Errorf("%s in %s: choice %d is %s", c.local, c.zone, j, got)
				}
				v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7"), fmt.Sprint("k", i, j), At(choice.Local, choice.TimeZone, choice.Offset))
				if !v.SendAt.Equal(choice.At) {
					t.Errorf("choosing %+v made it %s", choice, v.SendAt)
				}
			}
		}
	})
}

func TestScheduleRefusesInvalidTimes(t *testing.T) {
	Each(t, func(t *testing.T, w *World) { // it is 2026-03-02 10:00 in New York
		for _, c := range []struct{ local, zone, offset, code string }{
			{"2026-03-02T09:59", "America/New_York", "", "time_past"},
			{"2026-03-02T10:00", "America/New_York", "", "time_past"},
			{"2020-01-01T00:00", "America/New_York", "", "time_past"},
			{"2027-03-04T09:00", "America/New_York", "", "time_too_far"},
			{"2026-03-03T09:00", "America/Gotham", "", "bad_request"},
			{"2026-03-03T09:00", "", "", "bad_request"},
			{"2026-03-03T09:00", "Local", "", "bad_request"},
			{"2026-03-03 09:00", "America/New_York", "", "bad_request"},
			{"2026-03-03T09:00:30", "America/New_York", "", "bad_request"},
			{"2026-02-30T09:00", "America/New_York", "", "bad_request"},
			{"2026-03-03T09:00", "America/New_York", "+02:00", "bad_request"},
			{"2026-11-01T01:30", "America/New_York", "+02:00", "bad_request"},
		} {
			_, err := w.Create(Ctx, w.One("ana", "7", Bob), "k1", At(c.local, c.zone, c.offset))
			if code, _ := Refusal(err); code != c.code {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if w.CountBatches() != 0 {
			t.Error("something was stored")
		}
		w.MustCreate(w.One("ana", "7", Bob), "k1", At("2027-03-02T09:00", "America/New_York", ""))
		v := w.MustCreate(w.One("ana", "7", Bob), "k2", At("2027-03-02T09:00:00", "America/New_York", ""))
		if v.Schedule.Local != "2027-03-02T09:00" {
			t.Errorf("with seconds: %+v", v.Schedule)
		}
	})
}

func TestScheduledTextIsPreparedAheadAndSentOnTime(t *testing.T) {
	for _, mode := range []string{crm.ModeOne, crm.ModeBulk} {
		t.Run(mode, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				a := w.One("ana", "7", Bob)
				if mode == crm.ModeBulk {
					a = w.Bulk("ana", crm.ModuleContact, "7")
				}
				v := w.MustCreate(a, "k1", w.Later(time.Hour))
				w.Clock.Add(57 * time.Minute)
				if n := w.MustStartDue(); n != (batch.DueCounts{}) || w.MustView(v.ID).State != models.BatchScheduled {
					t.Fatalf("three minutes before: %+v", n)
				}
				w.Clock.Add(90 * time.Second)
				if n := w.MustStartDue(); n.Started != 1 || w.MustStartDue().Started != 0 {
					t.Fatalf("ninety seconds before: %+v", n)
				}
				_, err := w.Prepare(Ctx, "t_9", v.ID)
				Must(t, err)
				m := w.Rows(v.ID)[0]
				if m.State != models.Waiting || m.DueAt == nil || !m.DueAt.Equal(*v.SendAt) || m.Text != "Hi Bob" {
					t.Errorf("prepared %+v", m)
				}
				for range 89 {
					if got := w.Claim(); len(got) != 0 {
						t.Fatalf("left at %s, due at %s", w.Clock.Now(), v.SendAt)
					}
					w.Clock.Add(time.Second)
				}
				if now := w.MustView(v.ID); now.Counts.Queued != 1 || now.State != models.BatchSending {
					t.Errorf("a second before: %s, %+v", now.State, now.Counts)
				}
				w.Clock.Add(time.Second)
				if got := w.Claim(); len(got) != 1 {
					t.Errorf("%d left at the time", len(got))
				}
			})
		})
	}
}

func TestNewZoneRulesMoveTheInstant(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ana", "7", Bob), "k1", At("2026-03-20T09:00", "America/New_York", ""))
		right := *v.SendAt
		for _, wrong := range []time.Duration{-time.Hour, time.Hour} { // as the rules of another year had it
			Must(t, w.DB.UpdateBatch(Ctx, "t_9", v.ID, []string{models.BatchScheduled}, map[string]any{"send_at": right.Add(wrong), "utc_offset": "-05:00"}))
			if wrong < 0 {
				w.Clock.Add(right.Add(wrong).Add(-time.Minute).Sub(w.Clock.Now()))
				if n := w.MustStartDue(); n.Moved != 1 || n.Started != 0 {
					t.Errorf("%+v", n)
				}
			} else {
				_, err := w.Scheduler.WarnAllTenants(Ctx)
				Must(t, err)
			}
			if b := w.Row(v.ID); !b.SendAt.Equal(right) || b.UTCOffset != "-04:00" || b.State != models.BatchScheduled {
				t.Errorf("it goes at %s (%s)", b.SendAt, b.UTCOffset)
			}
		}
	})
}

func TestScheduledTextFailsWithoutAnAccount(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ben", "7", Bob), "k1", w.Later(time.Hour))
		w.SetAccount("2", "ben@acme.com", models.AccountSuspended)
		w.Clock.Add(time.Hour)
		w.MustStartDue()
		_, err := w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if v = w.MustView(v.ID); v.State != models.BatchDone || v.Counts.Failed != 1 || len(w.Claim()) != 0 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		if m := w.Rows(v.ID)[0]; m.ErrorText != "No Dialpad account found" || m.ErrorCode != "no_account" {
			t.Errorf("failed with %s: %s", m.ErrorCode, m.ErrorText)
		}
	})
}

func TestEditUntilTheStart(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ben", "7", Bob), "k1", w.Later(time.Hour))
		text, next, ana := "Hello {{Contact.firstName}}", w.Later(2*time.Hour).Schedule, "42"
		Must(t, w.DB.SaveUsers(Ctx, "t_9", []models.User{{UserID: "42", Email: "Ana@acme.com", Name: "Ana Ruiz", Active: true}}))
		e, err := w.ViewOf(w.Edit(Ctx, w.Page("ben"), v.ID, batch.EditRequest{Message: &text, Schedule: next, Late: &batch.Late{AfterMinutes: 5, Do: "drop"}}))
		Must(t, err)
		if e.Text != text || e.Schedule.Local != next.Local || e.Late.Do != "drop" || e.SendAt.Sub(*v.SendAt) != time.Hour || e.State != models.BatchScheduled {
			t.Errorf("edited to %+v", e)
		}
		for name, r := range map[string]batch.EditRequest{
			"unknown_field": {Message: pointer("{{Contact.nope}}")}, "time_past": {Schedule: &walltime.Schedule{Local: "2026-03-01T09:00", TimeZone: "America/New_York"}},
			"bad_request": {Late: &batch.Late{AfterMinutes: 0, Do: "hold"}}, "admin_required": {SenderUserID: &ana},
		} {
			if _, err := w.Edit(Ctx, w.Page("ben"), v.ID, r); err == nil {
				t.Errorf("%s: edited", name)
			} else if code, _ := Refusal(err); code != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err = w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{SenderUserID: &ana})
		Must(t, err)
		w.Clock.Add(2 * time.Hour)
		w.MustStartDue()
		_, err = w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if got := w.Claim(); len(got) != 1 || got[0].Text != "Hello Bob" || got[0].SenderID != "1" || !got[0].SenderMatches {
			t.Errorf("sent %+v", got)
		}
		if _, err := w.Edit(Ctx, w.Page("ben"), v.ID, batch.EditRequest{Message: &text}); err == nil {
			t.Error("edited what was sent")
		}
	})
}

func pointer(s string) *string { return &s }

func TestEditAndStartRace(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ana", "7", Bob), "k1", w.Later(time.Hour))
		w.Clock.Add(59 * time.Minute)
		seen := w.Row(v.ID)
		_, err := w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{Schedule: w.Later(48 * time.Hour).Schedule})
		Must(t, err)
		if err := w.DB.UpdateSeen(Ctx, seen, map[string]any{"state": models.BatchPreparing}); !errors.Is(err, models.ErrLost) {
			t.Errorf("started what was moved to another day: %v", err)
		}
		if n := w.MustStartDue(); n.Started != 0 {
			t.Errorf("%+v", n)
		}
		for i := range 20 {
			v := w.MustCreate(w.One("ana", "7", Bob), fmt.Sprint("r", i), w.Later(time.Minute))
			edited := make(chan error)
			go func() {
				_, err := w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{Schedule: w.Later(72 * time.Hour).Schedule})
				edited <- err
			}()
			w.MustStartDue()
			err := <-edited
			b := w.Row(v.ID)
			if won := err == nil; won != (b.State == models.BatchScheduled) || won != (b.SendAt.Sub(w.Clock.Now()) > time.Hour) {
				t.Errorf("the edit answered %v, and the batch is %s for %s", err, b.State, b.SendAt)
			}
		}
	})
}
