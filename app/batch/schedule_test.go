package batch_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"dialpad-texting/app/batch"
	"dialpad-texting/app/walltime"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestCreateStoresTheSchedule(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		for i, c := range []struct{ offset, want string }{{"-04:00", "2026-11-01T05:30:00Z"}, {"-05:00", "2026-11-01T06:30:00Z"}} {
			v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7"), fmt.Sprint("k", i), At("2026-11-01T01:30", "America/New_York", c.offset))
			want := walltime.Schedule{Local: "2026-11-01T01:30", TimeZone: "America/New_York", Offset: c.offset}
			if got := v.SendAt.Format(time.RFC3339); got != c.want || v.State != ledger.BatchScheduled || *v.Schedule != want {
				t.Errorf("%s: %s, %s, %+v", c.offset, v.State, got, v.Schedule)
			}
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
				if n := w.MustStartDue(); n != (batch.DueCounts{}) || w.MustView(v.ID).State != ledger.BatchScheduled {
					t.Fatalf("three minutes before: %+v", n)
				}
				w.Clock.Add(90 * time.Second)
				if n := w.MustStartDue(); n.Started != 1 || w.MustStartDue().Started != 0 {
					t.Fatalf("ninety seconds before: %+v", n)
				}
				_, err := w.Prepare(Ctx, "t_9", v.ID)
				Must(t, err)
				m := w.Rows(v.ID)[0]
				if m.State != ledger.Waiting || m.DueAt == nil || !m.DueAt.Equal(*v.SendAt) || m.Text != "Hi Bob" {
					t.Errorf("prepared %+v", m)
				}
				for range 89 {
					if got := w.Claim(); len(got) != 0 {
						t.Fatalf("left at %s, due at %s", w.Clock.Now(), v.SendAt)
					}
					w.Clock.Add(time.Second)
				}
				if now := w.MustView(v.ID); now.Counts.Queued != 1 || now.State != ledger.BatchSending {
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
			Must(t, w.DB.Batches.Update(Ctx, "t_9", v.ID, []string{ledger.BatchScheduled}, map[string]any{"send_at": right.Add(wrong), "utc_offset": "-05:00"}))
			if wrong < 0 {
				w.Clock.Add(right.Add(wrong).Add(-time.Minute).Sub(w.Clock.Now()))
				if n := w.MustStartDue(); n.Moved != 1 || n.Started != 0 {
					t.Errorf("%+v", n)
				}
			} else {
				_, err := w.Scheduler.WarnAllTenants(Ctx)
				Must(t, err)
			}
			if b := w.Row(v.ID); !b.SendAt.Equal(right) || b.UTCOffset != "-04:00" || b.State != ledger.BatchScheduled {
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
		if v = w.MustView(v.ID); v.State != ledger.BatchDone || v.Counts.Failed != 1 || len(w.Claim()) != 0 {
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
		Must(t, w.DB.Users.Save(Ctx, "t_9", []models.User{{UserID: "42", Email: "Ana@acme.com", Name: "Ana Ruiz", Active: true}}))
		e, err := w.ViewOf(w.Edit(Ctx, w.Page("ben"), v.ID, batch.EditRequest{Message: &text, Schedule: next, Late: &batch.Late{AfterMinutes: 5, Do: "drop"}}))
		Must(t, err)
		if e.Text != text || e.Schedule.Local != next.Local || e.Late.Do != "drop" || e.SendAt.Sub(*v.SendAt) != time.Hour || e.State != ledger.BatchScheduled {
			t.Errorf("edited to %+v", e)
		}
		for name, r := range map[string]batch.EditRequest{
			"unknown_field": {Message: new("{{Contact.nope}}")}, "time_past": {Schedule: &walltime.Schedule{Local: "2026-03-01T09:00", TimeZone: "America/New_York"}},
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

func TestEditAndStartRace(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ana", "7", Bob), "k1", w.Later(time.Hour))
		w.Clock.Add(59 * time.Minute)
		seen := w.Row(v.ID)
		_, err := w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{Schedule: w.Later(48 * time.Hour).Schedule})
		Must(t, err)
		if err := w.DB.Batches.UpdateUnchanged(Ctx, seen, map[string]any{"state": ledger.BatchPreparing}); !errors.Is(err, models.ErrLost) {
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
			if won := err == nil; won != (b.State == ledger.BatchScheduled) || won != (b.SendAt.Sub(w.Clock.Now()) > time.Hour) {
				t.Errorf("the edit answered %v, and the batch is %s for %s", err, b.State, b.SendAt)
			}
		}
	})
}
