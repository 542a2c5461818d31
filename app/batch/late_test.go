package batch_test

import (
	"testing"
	"time"

	"dialpad-texting/app/batch"
	"dialpad-texting/app/outbox"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const tooLate = "The time passed while texts could not be sent (2026-03-02T11:00, America/New_York)"

// scheduleLate schedules a bulk in an hour with a late rule; nil is the
// default one.
func scheduleLate(w *World, l *batch.Late) outbox.BatchView {
	w.T.Helper()
	r := w.Later(time.Hour)
	r.Late = l
	return w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "20"), "late", r)
}

// checkLate checks what a late rule must have done by now.
func checkLate(w *World, id string, l *batch.Late) {
	w.T.Helper()
	_, err := w.ApplyState(Ctx, "t_9", id)
	Must(w.T, err)
	v, want := w.MustView(id), ledger.BatchHeld
	if l != nil && l.Do == "drop" {
		want = ledger.BatchCancelled
	}
	if v.State != want || v.Reason == nil || *v.Reason != tooLate || v.Counts.Held+v.Counts.Cancelled != 2 || len(w.Claim()) != 0 {
		w.T.Errorf("%s, %v, %+v", v.State, v.Reason, v.Counts)
	}
}

var lateRules = map[string]*batch.Late{"by default": nil, "hold": {AfterMinutes: 10, Do: "hold"}, "drop": {AfterMinutes: 10, Do: "drop"}}

func TestLateRuleAppliesWhenTheAppWasDown(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				v := scheduleLate(w, l)
				w.Clock.Add(2*time.Hour + time.Minute)
				if n := w.MustStartDue(); n.Held+n.Dropped != 1 || n.Started != 0 {
					t.Errorf("%+v", n)
				}
				checkLate(w, v.ID, l)
			})
		})
	}
}

func TestLateRuleAllowsLessThanItsMinutes(t *testing.T) {
	for name, late := range map[string]time.Duration{"within the default": 60 * time.Minute, "whatever happens": 30 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				var l *batch.Late
				if late > time.Hour {
					l = &batch.Late{AfterMinutes: 1, Do: "send"}
				}
				v := scheduleLate(w, l)
				w.Clock.Add(time.Hour + late)
				if n := w.MustStartDue(); n.Started != 1 {
					t.Errorf("%+v", n)
				}
				_, err := w.Prepare(Ctx, "t_9", v.ID)
				Must(t, err)
				if got := w.Claim(); len(got) != 2 {
					t.Errorf("%d went", len(got))
				}
			})
		})
	}
}

func TestLateRuleAppliesToABatchThatWaitedForTheCRM(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				v := scheduleLate(w, l)
				w.Clock.Add(time.Hour)
				w.MustStartDue()
				w.Host.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
				if _, err := w.Prepare(Ctx, "t_9", v.ID); err == nil {
					t.Fatal("prepared without the CRM")
				}
				w.Clock.Add(61 * time.Minute)
				w.Host.Mend()
				_, err := w.Prepare(Ctx, "t_9", v.ID)
				Must(t, err)
				checkLate(w, v.ID, l)
				if l != nil && l.Do == "drop" {
					return
				}
				w.Clock.Add(26 * time.Hour)
				r, err := w.Resume(Ctx, w.Page("ana"), v.ID)
				if err != nil || r.State != ledger.BatchPreparing {
					t.Fatalf("resumed: %s, %v", r.State, err)
				}
				_, err = w.Prepare(Ctx, "t_9", v.ID)
				Must(t, err)
				if got := w.Claim(); len(got) != 2 {
					t.Errorf("%d went when its sender said so", len(got))
				}
			})
		})
	}
}

func TestLateRuleAppliesToPreparedMessages(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				v := scheduleLate(w, l)
				w.Clock.Add(59 * time.Minute)
				w.MustStartDue()
				_, err := w.Prepare(Ctx, "t_9", v.ID)
				Must(t, err)
				w.Clock.Add(2*time.Hour + time.Minute) // everything was down over the time
				if got := w.Claim(); len(got) != 0 {
					t.Fatalf("%d went two hours late", len(got))
				}
				checkLate(w, v.ID, l)
				if l != nil && l.Do == "drop" {
					return
				}
				_, err = w.Resume(Ctx, w.Page("ana"), v.ID)
				Must(t, err)
				_, err = w.ApplyState(Ctx, "t_9", v.ID)
				Must(t, err)
				if got := w.Claim(); len(got) != 2 {
					t.Errorf("%d went when its sender said so", len(got))
				}
			})
		})
	}
}

func TestEditReschedulesAHeldBatch(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := scheduleLate(w, nil)
		w.Clock.Add(2*time.Hour + time.Minute)
		w.MustStartDue()
		checkLate(w, v.ID, nil)
		text := "Hello"
		if _, err := w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{Message: &text}); err == nil {
			t.Error("changed what is held, with no time to go at")
		}
		again := batch.EditRequest{Message: &text, Schedule: w.Later(time.Hour).Schedule}
		w.SetAccount("1", "ana@acme.com", models.AccountSuspended)
		if _, err := w.Edit(Ctx, w.Page("ana"), v.ID, again); err == nil {
			t.Error("moved though its sender may not text")
		} else if code, _ := Refusal(err); code != "no_account" {
			t.Error(err)
		}
		Must(t, w.DB.Users.Save(Ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Active: true}, {UserID: "43", Email: "ben@acme.com", Active: true}}))
		other := again
		other.SenderUserID = new("43") // whose own account is fine
		if e, err := w.ViewOf(w.Edit(Ctx, w.Page("ana"), v.ID, other)); err != nil || e.State != ledger.BatchScheduled || e.Sender != "ben@acme.com" {
			t.Fatalf("by another sender: %s from %s, %v", e.State, e.Sender, err)
		}
		w.Clock.Add(3 * time.Hour)
		w.MustStartDue()
		if got := w.MustView(v.ID); got.State != ledger.BatchHeld || *got.HeldCode != ledger.HeldLate {
			t.Fatalf("late again: %s", got.State)
		}
		again.Schedule = w.Later(time.Hour).Schedule
		w.SetAccount("1", "ana@acme.com", models.AccountActive)
		again.SenderUserID = new("42")
		e, err := w.ViewOf(w.Edit(Ctx, w.Page("ana"), v.ID, again))
		if err != nil || e.State != ledger.BatchScheduled || e.Reason != nil || e.HeldCode != nil || e.Text != text {
			t.Fatalf("moved: %s, %v, %v", e.State, e.Reason, err)
		}
		w.Clock.Add(e.SendAt.Sub(w.Clock.Now()))
		w.MustStartDue()
		_, err = w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if got := w.Claim(); len(got) != 2 || got[0].Text != text {
			t.Errorf("%d went", len(got))
		}
		if _, err := w.Edit(Ctx, w.Page("ana"), v.ID, again); err == nil {
			t.Error("moved what has gone")
		}
	})
}

func TestResumeDoesNotSendEarly(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := scheduleLate(w, nil)
		w.Clock.Add(58*time.Minute + 30*time.Second)
		w.MustStartDue()
		_, err := w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		for _, step := range []func() error{
			func() error { _, err := w.Pause(Ctx, w.Page("ana"), v.ID); return err },
			func() error { _, err := w.Resume(Ctx, w.Page("ana"), v.ID); return err },
			func() error { _, err := w.DB.Batches.Hold(Ctx, "t_9", "", ledger.HeldBroken, "broken"); return err },
			func() error { _, err := w.DB.Batches.Release(Ctx, "t_9", ledger.HeldBroken); return err },
		} {
			Must(t, step())
			_, err = w.ApplyState(Ctx, "t_9", v.ID)
			Must(t, err)
			w.Clock.Add(10 * time.Second)
			if got := w.Claim(); len(got) != 0 {
				t.Fatalf("%d left at %s, due at %s", len(got), w.Clock.Now(), v.SendAt)
			}
		}
		w.Clock.Add(v.SendAt.Sub(w.Clock.Now()))
		if got := w.Claim(); len(got) != 2 {
			t.Errorf("%d left at the time", len(got))
		}
	})
}

// TestSenderIsCheckedAtTheScheduledTime suspends one while the text is
// made ready, two minutes ahead.
func TestSenderIsCheckedAtTheScheduledTime(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7"), "k1", w.Later(time.Hour))
		w.Clock.Add(59 * time.Minute)
		w.MustStartDue()
		w.SetAccount("1", "ana@acme.com", models.AccountSuspended)
		_, err := w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if got := w.MustView(v.ID); got.Counts.Failed != 0 || got.Counts.Queued != 1 {
			t.Errorf("a minute before: %+v", got.Counts)
		}
		w.Clock.Add(time.Minute)
		if got := w.Claim(); len(got) != 1 || got[0].SenderID != "1" || got[0].SenderState != models.AccountSuspended {
			t.Errorf("at the time: %+v", got)
		}
	})
}

func TestEditRefusesAnOldVersion(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7"), "k1", w.Later(time.Hour))
		mine, theirs := "Mine", "Theirs"
		first, err := w.ViewOf(w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{Version: &v.Version, Message: &theirs}))
		Must(t, err)
		if _, err := w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{Version: &v.Version, Message: &mine}); err == nil {
			t.Error("an older view was saved over a newer one")
		} else if code, _ := Refusal(err); code != "state_conflict" {
			t.Error(err)
		}
		if got := w.MustView(v.ID); got.Text != theirs || got.Version != first.Version {
			t.Errorf("%q", got.Text)
		}
		Must(t, w.DB.Batches.SetWarning(Ctx, ledger.Batch{ID: v.ID, TenantID: "t_9", Version: first.Version}, "something will go wrong")) // is no change
		if got, err := w.ViewOf(w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{Version: &first.Version, Message: &mine})); err != nil || got.Text != mine {
			t.Errorf("%q, %v", got.Text, err)
		}
	})
}

// TestLateRuleIgnoresQuietHours breaks the connection over a night on
// which nothing was to go.
func TestLateRuleIgnoresQuietHours(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "08:00"}))
		r := At("2026-03-02T22:00", "America/New_York", "")
		r.MoveQuiet, r.Late = new(true), &batch.Late{AfterMinutes: 60, Do: ledger.LateDrop}
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "2"), "k1", r)
		w.Clock.Add(v.SendAt.Add(-time.Minute).Sub(w.Clock.Now()))
		w.MustStartDue()
		_, err := w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		night := func(d time.Duration) ledger.Batch {
			t.Helper()
			_, err := w.DB.Batches.Hold(Ctx, "t_9", "", ledger.HeldBroken, "broken")
			Must(t, err)
			_, err = w.ApplyState(Ctx, "t_9", v.ID)
			Must(t, err)
			w.Clock.Add(d)
			_, err = w.DB.Batches.Release(Ctx, "t_9", ledger.HeldBroken)
			Must(t, err)
			_, err = w.ApplyState(Ctx, "t_9", v.ID)
			Must(t, err)
			b, err := w.DB.Batches.Get(Ctx, "t_9", "", v.ID)
			Must(t, err)
			return b
		}
		w.Clock.Add(time.Hour)
		if b := night(2 * time.Hour); b.State != ledger.BatchSending {
			t.Fatalf("at night it is %s: %s", b.State, b.HeldReason)
		}
		if got := w.Claim(); len(got) != 0 {
			t.Fatal("went at night")
		}
		if b := night(8*time.Hour + 2*time.Minute); b.State != ledger.BatchCancelled || b.HeldCode != ledger.HeldLate {
			t.Errorf("an hour after the morning it is %s", b.State)
		}
	})
}

func TestPauseKeepsTheEndOfQuietHours(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "08:00"}))
		w.Clock.Add(12 * time.Hour) // 22:00 in New York, 19:00 in Oakland
		r := Text(Hi)
		r.MoveQuiet = new(true)
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "1", "2"), "k1", r)
		for range 2 {
			_, err := w.Pause(Ctx, w.Page("ana"), v.ID)
			Must(t, err)
			_, err = w.ApplyState(Ctx, "t_9", v.ID)
			Must(t, err)
			_, err = w.Resume(Ctx, w.Page("ana"), v.ID)
			Must(t, err)
			_, err = w.ApplyState(Ctx, "t_9", v.ID)
			Must(t, err)
		}
		if got := w.Claim(); len(got) != 1 || got[0].ToNumber != "+14155550110" {
			t.Errorf("at night went %+v", got)
		}
		w.Clock.Add(10*time.Hour - time.Second)
		if got := w.Claim(); len(got) != 0 {
			t.Error("went before the morning")
		}
		w.Clock.Add(time.Second)
		if got := w.Claim(); len(got) != 1 || got[0].ToNumber != "+12125550112" {
			t.Errorf("in the morning went %+v", got)
		}
	})
}
