package texting_test

import (
	"testing"
	"time"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const tooLate = "The time passed while texts could not be sent (2026-03-02T11:00, America/New_York)"

// lateRule schedules a bulk in an hour with a late rule; nil is the default one.
func (w *world) lateRule(l *texting.Late) texting.BatchView {
	w.t.Helper()
	r := w.later(time.Hour)
	r.Late = l
	return w.create(w.bulk("ana", crm.ModuleContact, "7", "20"), "late", r)
}

// isLate checks what a late rule must have done by now.
func (w *world) isLate(id string, l *texting.Late) {
	w.t.Helper()
	_, err := w.Move(ctx, "t_9", id)
	must(w.t, err)
	v, want := w.view(id), ledger.BatchHeld
	if l != nil && l.Do == "drop" {
		want = ledger.BatchCancelled
	}
	if v.State != want || v.Reason == nil || *v.Reason != tooLate || v.Counts.Held+v.Counts.Cancelled != 2 || len(w.claim()) != 0 {
		w.t.Errorf("%s, %v, %+v", v.State, v.Reason, v.Counts)
	}
}

var lateRules = map[string]*texting.Late{"by default": nil, "hold": {AfterMinutes: 10, Do: "hold"}, "drop": {AfterMinutes: 10, Do: "drop"}}

func TestATimeThatPassedWhileEverythingWasDownIsJudgedByTheLateRule(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				v := w.lateRule(l)
				w.clock.Add(2*time.Hour + time.Minute)
				if n := w.due(); n.Held+n.Dropped != 1 || n.Started != 0 {
					t.Errorf("%+v", n)
				}
				w.isLate(v.ID, l)
			})
		})
	}
}

func TestALittleLateIsStillSent(t *testing.T) {
	for name, late := range map[string]time.Duration{"within the default": 60 * time.Minute, "whatever happens": 30 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				var l *texting.Late
				if late > time.Hour {
					l = &texting.Late{AfterMinutes: 1, Do: "send"}
				}
				v := w.lateRule(l)
				w.clock.Add(time.Hour + late)
				if n := w.due(); n.Started != 1 {
					t.Errorf("%+v", n)
				}
				_, err := w.Prepare(ctx, "t_9", v.ID)
				must(t, err)
				if got := w.claim(); len(got) != 2 {
					t.Errorf("%d went", len(got))
				}
			})
		})
	}
}

func TestABatchThatTheCRMKeptWaitingIsJudgedTooAndMayBeResumed(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				v := w.lateRule(l)
				w.clock.Add(time.Hour)
				w.due()
				w.host.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
				if _, err := w.Prepare(ctx, "t_9", v.ID); err == nil {
					t.Fatal("prepared without the CRM")
				}
				w.clock.Add(61 * time.Minute)
				w.host.Mend()
				_, err := w.Prepare(ctx, "t_9", v.ID)
				must(t, err)
				w.isLate(v.ID, l)
				if l != nil && l.Do == "drop" {
					return
				}
				w.clock.Add(26 * time.Hour)
				r, err := w.Resume(ctx, w.page("ana"), v.ID)
				if err != nil || r.State != ledger.BatchPreparing {
					t.Fatalf("resumed: %s, %v", r.State, err)
				}
				_, err = w.Prepare(ctx, "t_9", v.ID)
				must(t, err)
				if got := w.claim(); len(got) != 2 {
					t.Errorf("%d went when its sender said so", len(got))
				}
			})
		})
	}
}

func TestTextsThatLayPreparedPastTheirTimeAreJudgedToo(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				v := w.lateRule(l)
				w.clock.Add(59 * time.Minute)
				w.due()
				_, err := w.Prepare(ctx, "t_9", v.ID)
				must(t, err)
				w.clock.Add(2*time.Hour + time.Minute) // everything was down over the time
				if got := w.claim(); len(got) != 0 {
					t.Fatalf("%d went two hours late", len(got))
				}
				w.isLate(v.ID, l)
				if l != nil && l.Do == "drop" {
					return
				}
				_, err = w.Resume(ctx, w.page("ana"), v.ID)
				must(t, err)
				_, err = w.Move(ctx, "t_9", v.ID)
				must(t, err)
				if got := w.claim(); len(got) != 2 {
					t.Errorf("%d went when its sender said so", len(got))
				}
			})
		})
	}
}

func TestWhatIsHeldMayBeGivenAnotherTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.lateRule(nil)
		w.clock.Add(2*time.Hour + time.Minute)
		w.due()
		w.isLate(v.ID, nil)
		text := "Hello"
		if _, err := w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{Message: &text}); err == nil {
			t.Error("changed what is held, with no time to go at")
		}
		again := texting.EditRequest{Message: &text, Schedule: w.later(time.Hour).Schedule}
		w.account("1", "ana@acme.com", models.AccountSuspended)
		if _, err := w.Edit(ctx, w.page("ana"), v.ID, again); err == nil {
			t.Error("moved though its sender may not text")
		} else if code, _ := refused(err); code != "no_account" {
			t.Error(err)
		}
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Active: true}, {UserID: "43", Email: "ben@acme.com", Active: true}}))
		other := again
		other.SenderUserID = new("43") // whose own account is fine
		if e, err := w.Edit(ctx, w.page("ana"), v.ID, other); err != nil || e.State != ledger.BatchScheduled || e.Sender != "ben@acme.com" {
			t.Fatalf("by another sender: %s from %s, %v", e.State, e.Sender, err)
		}
		w.clock.Add(3 * time.Hour)
		w.due()
		if got := w.view(v.ID); got.State != ledger.BatchHeld || *got.HeldCode != ledger.HeldLate {
			t.Fatalf("late again: %s", got.State)
		}
		again.Schedule = w.later(time.Hour).Schedule
		w.account("1", "ana@acme.com", models.AccountActive)
		again.SenderUserID = new("42")
		e, err := w.Edit(ctx, w.page("ana"), v.ID, again)
		if err != nil || e.State != ledger.BatchScheduled || e.Reason != nil || e.HeldCode != nil || e.Text != text {
			t.Fatalf("moved: %s, %v, %v", e.State, e.Reason, err)
		}
		w.clock.Add(e.SendAt.Sub(w.clock.Now()))
		w.due()
		_, err = w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if got := w.claim(); len(got) != 2 || got[0].Text != text {
			t.Errorf("%d went", len(got))
		}
		if _, err := w.Edit(ctx, w.page("ana"), v.ID, again); err == nil {
			t.Error("moved what has gone")
		}
	})
}

func TestNothingLeavesEarlyBecauseItWasHeldMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.lateRule(nil)
		w.clock.Add(58*time.Minute + 30*time.Second)
		w.due()
		_, err := w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		for _, step := range []func() error{
			func() error { _, err := w.Pause(ctx, w.page("ana"), v.ID); return err },
			func() error { _, err := w.Resume(ctx, w.page("ana"), v.ID); return err },
			func() error { _, err := w.db.Batches.Hold(ctx, "t_9", "", ledger.HeldBroken, "broken"); return err },
			func() error { _, err := w.db.Batches.Release(ctx, "t_9", ledger.HeldBroken); return err },
		} {
			must(t, step())
			_, err = w.Move(ctx, "t_9", v.ID)
			must(t, err)
			w.clock.Add(10 * time.Second)
			if got := w.claim(); len(got) != 0 {
				t.Fatalf("%d left at %s, due at %s", len(got), w.clock.Now(), v.SendAt)
			}
		}
		w.clock.Add(v.SendAt.Sub(w.clock.Now()))
		if got := w.claim(); len(got) != 2 {
			t.Errorf("%d left at the time", len(got))
		}
	})
}

// TestASenderIsJudgedAtTheTimeAndNotBefore suspends one while the text is made ready, two minutes ahead.
func TestASenderIsJudgedAtTheTimeAndNotBefore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.bulk("ana", crm.ModuleContact, "7"), "k1", w.later(time.Hour))
		w.clock.Add(59 * time.Minute)
		w.due()
		w.account("1", "ana@acme.com", models.AccountSuspended)
		_, err := w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if got := w.view(v.ID); got.Counts.Failed != 0 || got.Counts.Queued != 1 {
			t.Errorf("a minute before: %+v", got.Counts)
		}
		w.clock.Add(time.Minute)
		if got := w.claim(); len(got) != 1 || got[0].SenderID != "1" || got[0].SenderState != models.AccountSuspended {
			t.Errorf("at the time: %+v", got)
		}
	})
}

func TestAnEditUndoesNoOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.bulk("ana", crm.ModuleContact, "7"), "k1", w.later(time.Hour))
		mine, theirs := "Mine", "Theirs"
		first, err := w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{Version: &v.Version, Message: &theirs})
		must(t, err)
		if _, err := w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{Version: &v.Version, Message: &mine}); err == nil {
			t.Error("an older view was saved over a newer one")
		} else if code, _ := refused(err); code != "state_conflict" {
			t.Error(err)
		}
		if got := w.view(v.ID); got.Text != theirs || got.Version != first.Version {
			t.Errorf("%q", got.Text)
		}
		must(t, w.db.Batches.SetWarning(ctx, ledger.Batch{ID: v.ID, TenantID: "t_9", Version: first.Version}, "something will go wrong")) // is no change
		if got, err := w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{Version: &first.Version, Message: &mine}); err != nil || got.Text != mine {
			t.Errorf("%q, %v", got.Text, err)
		}
	})
}

// TestWhatWaitsForTheMorningIsNotLateAtNight breaks the connection over a night on which nothing was to go.
func TestWhatWaitsForTheMorningIsNotLateAtNight(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.db.Tenants.SaveSettings(ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "08:00"}))
		r := at("2026-03-02T22:00", "America/New_York", "")
		r.MoveQuiet, r.Late = true, &texting.Late{AfterMinutes: 60, Do: ledger.LateDrop}
		v := w.create(w.bulk("ana", crm.ModuleContact, "2"), "k1", r)
		w.clock.Add(v.SendAt.Add(-time.Minute).Sub(w.clock.Now()))
		w.due()
		_, err := w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		night := func(d time.Duration) ledger.Batch {
			t.Helper()
			_, err := w.db.Batches.Hold(ctx, "t_9", "", ledger.HeldBroken, "broken")
			must(t, err)
			_, err = w.Move(ctx, "t_9", v.ID)
			must(t, err)
			w.clock.Add(d)
			_, err = w.db.Batches.Release(ctx, "t_9", ledger.HeldBroken)
			must(t, err)
			_, err = w.Move(ctx, "t_9", v.ID)
			must(t, err)
			b, err := w.db.Batches.Get(ctx, "t_9", "", v.ID)
			must(t, err)
			return b
		}
		w.clock.Add(time.Hour)
		if b := night(2 * time.Hour); b.State != ledger.BatchSending {
			t.Fatalf("at night it is %s: %s", b.State, b.HeldReason)
		}
		if got := w.claim(); len(got) != 0 {
			t.Fatal("went at night")
		}
		if b := night(8*time.Hour + 2*time.Minute); b.State != ledger.BatchCancelled || b.HeldCode != ledger.HeldLate {
			t.Errorf("an hour after the morning it is %s", b.State)
		}
	})
}

func TestTextsForTheMorningStayThereWhenPaused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.db.Tenants.SaveSettings(ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "08:00"}))
		w.clock.Add(12 * time.Hour) // 22:00 in New York, 19:00 in Oakland
		r := says(hi)
		r.MoveQuiet = true
		v := w.prepared(w.bulk("ana", crm.ModuleContact, "1", "2"), "k1", r)
		for range 2 {
			_, err := w.Pause(ctx, w.page("ana"), v.ID)
			must(t, err)
			_, err = w.Move(ctx, "t_9", v.ID)
			must(t, err)
			_, err = w.Resume(ctx, w.page("ana"), v.ID)
			must(t, err)
			_, err = w.Move(ctx, "t_9", v.ID)
			must(t, err)
		}
		if got := w.claim(); len(got) != 1 || got[0].ToNumber != "+14155550110" {
			t.Errorf("at night went %+v", got)
		}
		w.clock.Add(10*time.Hour - time.Second)
		if got := w.claim(); len(got) != 0 {
			t.Error("went before the morning")
		}
		w.clock.Add(time.Second)
		if got := w.claim(); len(got) != 1 || got[0].ToNumber != "+12125550112" {
			t.Errorf("in the morning went %+v", got)
		}
	})
}
