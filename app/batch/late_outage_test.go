package batch_test

import (
	"testing"
	"time"

	"dialpad-texting/app/batch"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

// prepareLate schedules a bulk in an hour with a late rule and prepares it a
// minute before.
func prepareLate(w *World, l *batch.Late) string {
	w.T.Helper()
	v := scheduleLate(w, l)
	w.Clock.Add(59 * time.Minute)
	w.MustStartDue()
	_, err := w.Prepare(Ctx, "t_9", v.ID)
	Must(w.T, err)
	return v.ID
}

// sendOne claims one text, as a paced lane does that goes from worker to
// worker.
func sendOne(w *World) int {
	w.T.Helper()
	leaseLane(w, time.Second)
	_, _, err := w.DB.Lanes.QueueDue(Ctx, w.Lane, 1000)
	Must(w.T, err)
	got, _, err := w.DB.Lanes.Claim(Ctx, w.Lane, ledger.ClaimParams{N: 1, Base: w.Clock.Now()})
	Must(w.T, err)
	w.Settle(ledger.Sent, got...)
	return len(got)
}

// leaseLane takes Acme's lane over for a time.
func leaseLane(w *World, d time.Duration) {
	w.T.Helper()
	lanes, err := w.DB.Lanes.AcquireAllTenants(Ctx, "w1", d, 0, 1)
	Must(w.T, err)
	if len(lanes) != 1 {
		w.T.Fatal("the lane is not due")
	}
	w.Lane = lanes[0]
}

func TestLateRuleAppliesToQueuedMessages(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				id := prepareLate(w, l)
				w.Clock.Add(time.Minute)
				leaseLane(w, 12*time.Second)
				if n, _, err := w.DB.Lanes.QueueDue(Ctx, w.Lane, 1000); err != nil || n != 2 {
					t.Fatalf("%d queued at the time, %v", n, err)
				}
				w.Clock.Add(26 * time.Hour) // the worker died, and a backup of that moment was restored
				w.Lane = ledger.Lane{}
				if got := w.Claim(); len(got) != 0 {
					t.Fatalf("%d of yesterday's texts went", len(got))
				}
				checkLate(w, id, l)
			})
		})
	}
}

func TestLateRuleIgnoresALongBulk(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		r := w.Later(time.Hour)
		r.Late = &batch.Late{AfterMinutes: 1, Do: "drop"}
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "1", "2", "7", "20", "21"), "long", r)
		w.Clock.Add(59 * time.Minute)
		w.MustStartDue()
		_, err := w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		w.Clock.Add(time.Minute)
		want := w.MustView(v.ID).Counts.Queued
		for range want {
			if sendOne(w) != 1 {
				t.Fatalf("it stopped: %+v", w.MustView(v.ID).Counts)
			}
			w.Clock.Add(50 * time.Second)
		}
		if c := w.MustView(v.ID).Counts; c.Sent != want || want < 4 {
			t.Errorf("%+v", c)
		}
	})
}

func TestLateRuleAppliesAfterABrokenConnection(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				id := prepareLate(w, l)
				breakConnection(w, 2*time.Hour, id)
				checkLate(w, id, l)
				if l != nil && l.Do == "drop" {
					return
				}
				_, err := w.Resume(Ctx, w.Page("ana"), id)
				Must(t, err)
				w.MustApplyState(id)
				if got := w.Claim(); len(got) != 2 {
					t.Errorf("%d went when its sender said so", len(got))
				}
			})
		})
	}
}

// breakConnection breaks the connection for a time, and mends it.
func breakConnection(w *World, d time.Duration, id string) {
	w.T.Helper()
	_, err := w.DB.Batches.Hold(Ctx, "t_9", "", ledger.HeldBroken, "broken")
	Must(w.T, err)
	w.MustApplyState(id)
	w.Clock.Add(d)
	_, err = w.DB.Batches.Release(Ctx, "t_9", ledger.HeldBroken)
	Must(w.T, err)
	w.MustApplyState(id)
}

func TestLateRuleIgnoresAShortBreak(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		id := prepareLate(w, nil)
		w.Clock.Add(time.Minute)
		if w.Claim(); w.MustView(id).Counts.Sending != 2 {
			t.Fatal("it did not start")
		}
		w.Clock.Add(5 * time.Hour) // as long as others of it take
		breakConnection(w, 2*time.Minute, id)
		if v := w.MustView(id); v.State != ledger.BatchSending {
			t.Errorf("%s: %v", v.State, v.Reason)
		}
	})
}

func TestResumedLateBatchIsNotHeldAgain(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := scheduleLate(w, nil)
		w.Clock.Add(59 * time.Minute)
		w.MustStartDue()
		_, err := w.DB.Batches.Hold(Ctx, "t_9", "", ledger.HeldDisconnected, "disconnected")
		Must(t, err)
		w.Clock.Add(5 * time.Hour)
		_, err = w.Resume(Ctx, w.Page("ana"), v.ID)
		Must(t, err)
		_, err = w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if got := w.Claim(); len(got) != 2 {
			t.Errorf("%d went; %s", len(got), w.MustView(v.ID).State)
		}
	})
}
