package texting_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

func at(local, zone, offset string) texting.BatchRequest {
	r := says(hi)
	r.Schedule = &texting.Schedule{Local: local, TimeZone: zone, Offset: offset}
	return r
}

// later is a wall time in New York some time from now.
func (w *world) later(d time.Duration) texting.BatchRequest {
	w.t.Helper()
	loc, err := time.LoadLocation("America/New_York")
	must(w.t, err)
	return at(w.clock.Now().Add(d).In(loc).Format("2006-01-02T15:04"), "America/New_York", "")
}

// due is one look at the schedules.
func (w *world) due() texting.DueCounts {
	w.t.Helper()
	n, err := w.StartDueAllTenants(ctx, 100)
	must(w.t, err)
	return n
}

func TestAWallTimeIsTheInstantThatPeopleThereMean(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
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
			v := w.create(w.bulk("ana", crm.ModuleContact, "7"), fmt.Sprint("k", i), at(c.local, c.zone, ""))
			if got := v.SendAt.Format(time.RFC3339); got != c.want || v.State != ledger.BatchScheduled || *v.Schedule != (texting.Schedule{Local: c.local, TimeZone: c.zone, Offset: c.offset}) {
				t.Errorf("%s in %s is %s, %+v", c.local, c.zone, got, v.Schedule)
			}
		}
	})
}

func TestATimeThatTheClocksSkipOrRepeatIsAskedAbout(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
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
			_, err := w.Create(ctx, w.bulk("ana", crm.ModuleContact, "7"), "asked", at(c.local, c.zone, ""))
			var p *texting.Problem
			if !errors.As(err, &p) || p.Code != c.code {
				t.Errorf("%s in %s: %v", c.local, c.zone, err)
				continue
			}
			choices := p.Details["choices"].([]texting.Choice)
			if len(choices) != 2 || choices[0].Label == choices[1].Label {
				t.Fatalf("choices %+v", choices)
			}
			for j, choice := range choices {
				if got := choice.At.Format(time.RFC3339); got != c.instants[j] {
					t.Errorf("%s in %s: choice %d is %s", c.local, c.zone, j, got)
				}
				v := w.create(w.bulk("ana", crm.ModuleContact, "7"), fmt.Sprint("k", i, j), at(choice.Local, choice.TimeZone, choice.Offset))
				if !v.SendAt.Equal(choice.At) {
					t.Errorf("choosing %+v made it %s", choice, v.SendAt)
				}
			}
		}
	})
}

func TestATimeThatCannotBeIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) { // it is 2026-03-02 10:00 in New York
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
			_, err := w.Create(ctx, w.one("ana", "7", bob), "k1", at(c.local, c.zone, c.offset))
			if code, _ := refused(err); code != c.code {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if w.stored() != 0 {
			t.Error("something was stored")
		}
		w.create(w.one("ana", "7", bob), "k1", at("2027-03-02T09:00", "America/New_York", ""))
		v := w.create(w.one("ana", "7", bob), "k2", at("2027-03-02T09:00:00", "America/New_York", ""))
		if v.Schedule.Local != "2027-03-02T09:00" {
			t.Errorf("with seconds: %+v", v.Schedule)
		}
	})
}

func TestAScheduledTextIsPreparedAheadAndLeavesAtItsTime(t *testing.T) {
	for _, mode := range []string{crm.ModeOne, crm.ModeBulk} {
		t.Run(mode, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				a := w.one("ana", "7", bob)
				if mode == crm.ModeBulk {
					a = w.bulk("ana", crm.ModuleContact, "7")
				}
				v := w.create(a, "k1", w.later(time.Hour))
				w.clock.Add(57 * time.Minute)
				if n := w.due(); n != (texting.DueCounts{}) || w.view(v.ID).State != ledger.BatchScheduled {
					t.Fatalf("three minutes before: %+v", n)
				}
				w.clock.Add(90 * time.Second)
				if n := w.due(); n.Started != 1 || w.due().Started != 0 {
					t.Fatalf("ninety seconds before: %+v", n)
				}
				_, err := w.Prepare(ctx, "t_9", v.ID)
				must(t, err)
				m := w.messages(v.ID)[0]
				if m.State != ledger.Waiting || m.DueAt == nil || !m.DueAt.Equal(*v.SendAt) || m.Text != "Hi Bob" {
					t.Errorf("prepared %+v", m)
				}
				for range 89 {
					if got := w.claim(); len(got) != 0 {
						t.Fatalf("left at %s, due at %s", w.clock.Now(), v.SendAt)
					}
					w.clock.Add(time.Second)
				}
				if now := w.view(v.ID); now.Counts.Queued != 1 || now.State != ledger.BatchSending {
					t.Errorf("a second before: %s, %+v", now.State, now.Counts)
				}
				w.clock.Add(time.Second)
				if got := w.claim(); len(got) != 1 {
					t.Errorf("%d left at the time", len(got))
				}
			})
		})
	}
}

func TestWhenZoneRulesChangeTheWallTimeWins(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ana", "7", bob), "k1", at("2026-03-20T09:00", "America/New_York", ""))
		right := *v.SendAt
		for _, wrong := range []time.Duration{-time.Hour, time.Hour} { // as the rules of another year had it
			must(t, w.db.Batches.Update(ctx, "t_9", v.ID, []string{ledger.BatchScheduled}, map[string]any{"send_at": right.Add(wrong), "utc_offset": "-05:00"}))
			if wrong < 0 {
				w.clock.Add(right.Add(wrong).Add(-time.Minute).Sub(w.clock.Now()))
				if n := w.due(); n.Moved != 1 || n.Started != 0 {
					t.Errorf("%+v", n)
				}
			} else {
				_, err := w.WarnAllTenants(ctx)
				must(t, err)
			}
			if b := w.row(v.ID); !b.SendAt.Equal(right) || b.UTCOffset != "-04:00" || b.State != ledger.BatchScheduled {
				t.Errorf("it goes at %s (%s)", b.SendAt, b.UTCOffset)
			}
		}
	})
}

func TestTheSenderMayBeGoneByThen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ben", "7", bob), "k1", w.later(time.Hour))
		w.account("2", "ben@acme.com", models.AccountSuspended)
		w.clock.Add(time.Hour)
		w.due()
		_, err := w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if v = w.view(v.ID); v.State != ledger.BatchDone || v.Counts.Failed != 1 || len(w.claim()) != 0 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		if m := w.messages(v.ID)[0]; m.ErrorText != "No Dialpad account found" || m.ErrorCode != "no_account" {
			t.Errorf("failed with %s: %s", m.ErrorCode, m.ErrorText)
		}
	})
}

func TestAScheduleIsEditedUntilItStarts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ben", "7", bob), "k1", w.later(time.Hour))
		text, next, ana := "Hello {{Contact.firstName}}", w.later(2*time.Hour).Schedule, "42"
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "Ana@acme.com", Name: "Ana Ruiz", Active: true}}))
		e, err := w.Edit(ctx, w.page("ben"), v.ID, texting.EditRequest{Message: &text, Schedule: next, Late: &texting.Late{AfterMinutes: 5, Do: "drop"}})
		must(t, err)
		if e.Text != text || e.Schedule.Local != next.Local || e.Late.Do != "drop" || e.SendAt.Sub(*v.SendAt) != time.Hour || e.State != ledger.BatchScheduled {
			t.Errorf("edited to %+v", e)
		}
		for name, r := range map[string]texting.EditRequest{
			"unknown_field": {Message: pointer("{{Contact.nope}}")}, "time_past": {Schedule: &texting.Schedule{Local: "2026-03-01T09:00", TimeZone: "America/New_York"}},
			"bad_request": {Late: &texting.Late{AfterMinutes: 0, Do: "hold"}}, "admin_required": {SenderUserID: &ana},
		} {
			if _, err := w.Edit(ctx, w.page("ben"), v.ID, r); err == nil {
				t.Errorf("%s: edited", name)
			} else if code, _ := refused(err); code != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err = w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{SenderUserID: &ana})
		must(t, err)
		w.clock.Add(2 * time.Hour)
		w.due()
		_, err = w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if got := w.claim(); len(got) != 1 || got[0].Text != "Hello Bob" || got[0].SenderID != "1" || !got[0].SenderMatches {
			t.Errorf("sent %+v", got)
		}
		if _, err := w.Edit(ctx, w.page("ben"), v.ID, texting.EditRequest{Message: &text}); err == nil {
			t.Error("edited what was sent")
		}
	})
}

func pointer(s string) *string { return &s }

func TestAnEditAndTheStartCannotBothWin(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ana", "7", bob), "k1", w.later(time.Hour))
		w.clock.Add(59 * time.Minute)
		seen := w.row(v.ID)
		_, err := w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{Schedule: w.later(48 * time.Hour).Schedule})
		must(t, err)
		if err := w.db.Batches.UpdateUnchanged(ctx, seen, map[string]any{"state": ledger.BatchPreparing}); !errors.Is(err, models.ErrLost) {
			t.Errorf("started what was moved to another day: %v", err)
		}
		if n := w.due(); n.Started != 0 {
			t.Errorf("%+v", n)
		}
		for i := range 20 {
			v := w.create(w.one("ana", "7", bob), fmt.Sprint("r", i), w.later(time.Minute))
			edited := make(chan error)
			go func() {
				_, err := w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{Schedule: w.later(72 * time.Hour).Schedule})
				edited <- err
			}()
			w.due()
			err := <-edited
			b := w.row(v.ID)
			if won := err == nil; won != (b.State == ledger.BatchScheduled) || won != (b.SendAt.Sub(w.clock.Now()) > time.Hour) {
				t.Errorf("the edit answered %v, and the batch is %s for %s", err, b.State, b.SendAt)
			}
		}
	})
}
