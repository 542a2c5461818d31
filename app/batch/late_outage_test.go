package batch_test

import (
	"testing"
	"time"

	"dialpad-texting/app/batch"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// ready schedules a bulk in an hour with a late rule and prepares it a minute before.
func (w *world) ready(l *batch.Late) string {
	w.T.Helper()
	v := w.lateRule(l)
	w.Clock.Add(59 * time.Minute)
	w.MustStartDue()
	_, err := w.Prepare(ctx, "t_9", v.ID)
	must(w.T, err)
	return v.ID
}

// take claims one text, as a paced lane does that goes from worker to worker.
func (w *world) take() int {
	w.T.Helper()
	w.leased(time.Second)
	_, _, err := w.DB.PromoteDue(ctx, w.Lane, 1000)
	must(w.T, err)
	got, _, err := w.DB.Claim(ctx, w.Lane, models.Take{N: 1, Base: w.Clock.Now()})
	must(w.T, err)
	w.Settle(models.Sent, got...)
	return len(got)
}

// leased takes Acme's lane over for a time.
func (w *world) leased(d time.Duration) {
	w.T.Helper()
	lanes, err := w.DB.AcquireLanesAllTenants(ctx, "w1", d, 0, 1)
	must(w.T, err)
	if len(lanes) != 1 {
		w.T.Fatal("the lane is not due")
	}
	w.Lane = lanes[0]
}

func TestTextsThatLayQueuedWhileEverythingWasDownAreJudgedToo(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				id := w.ready(l)
				w.Clock.Add(time.Minute)
				w.leased(12 * time.Second)
				if n, _, err := w.DB.PromoteDue(ctx, w.Lane, 1000); err != nil || n != 2 {
					t.Fatalf("%d queued at the time, %v", n, err)
				}
				w.Clock.Add(26 * time.Hour) // the worker died, and a backup of that moment was restored
				w.Lane = models.Lane{}
				if got := w.Claim(); len(got) != 0 {
					t.Fatalf("%d of yesterday's texts went", len(got))
				}
				w.isLate(id, l)
			})
		})
	}
}

func TestALongBulkIsNotLateWhileItsLaneMoves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.Later(time.Hour)
		r.Late = &batch.Late{AfterMinutes: 1, Do: "drop"}
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "1", "2", "7", "20", "21"), "long", r)
		w.Clock.Add(59 * time.Minute)
		w.MustStartDue()
		_, err := w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		w.Clock.Add(time.Minute)
		want := w.MustView(v.ID).Counts.Queued
		for range want {
			if w.take() != 1 {
				t.Fatalf("it stopped: %+v", w.MustView(v.ID).Counts)
			}
			w.Clock.Add(50 * time.Second)
		}
		if c := w.MustView(v.ID).Counts; c.Sent != want || want < 4 {
			t.Errorf("%+v", c)
		}
	})
}

func TestAConnectionThatWasBrokenOverTheTimeLeavesTheTextsToTheLateRule(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				id := w.ready(l)
				w.broken(2*time.Hour, id)
				w.isLate(id, l)
				if l != nil && l.Do == "drop" {
					return
				}
				_, err := w.Resume(ctx, w.Page("ana"), id)
				must(t, err)
				w.MustApplyState(id)
				if got := w.Claim(); len(got) != 2 {
					t.Errorf("%d went when its sender said so", len(got))
				}
			})
		})
	}
}

// broken breaks the connection for a time, and mends it.
func (w *world) broken(d time.Duration, id string) {
	w.T.Helper()
	_, err := w.DB.HoldBatches(ctx, "t_9", "", models.HeldBroken, "broken")
	must(w.T, err)
	w.MustApplyState(id)
	w.Clock.Add(d)
	_, err = w.DB.ReleaseBatches(ctx, "t_9", models.HeldBroken)
	must(w.T, err)
	w.MustApplyState(id)
}

func TestAShortBreakInALongBulkMakesItNotLate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.ready(nil)
		w.Clock.Add(time.Minute)
		if w.Claim(); w.MustView(id).Counts.Sending != 2 {
			t.Fatal("it did not start")
		}
		w.Clock.Add(5 * time.Hour) // as long as others of it take
		w.broken(2*time.Minute, id)
		if v := w.MustView(id); v.State != models.BatchSending {
			t.Errorf("%s: %v", v.State, v.Reason)
		}
	})
}

func TestWhoResumesALateBatchIsNotAskedTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.lateRule(nil)
		w.Clock.Add(59 * time.Minute)
		w.MustStartDue()
		_, err := w.DB.HoldBatches(ctx, "t_9", "", models.HeldDisconnected, "disconnected")
		must(t, err)
		w.Clock.Add(5 * time.Hour)
		_, err = w.Resume(ctx, w.Page("ana"), v.ID)
		must(t, err)
		_, err = w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if got := w.Claim(); len(got) != 2 {
			t.Errorf("%d went; %s", len(got), w.MustView(v.ID).State)
		}
	})
}
