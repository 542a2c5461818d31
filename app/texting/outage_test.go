package texting_test

import (
	"testing"
	"time"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
)

// ready schedules a bulk in an hour with a late rule and prepares it a minute before.
func (w *world) ready(l *texting.Late) string {
	w.t.Helper()
	v := w.lateRule(l)
	w.clock.Add(59 * time.Minute)
	w.due()
	_, err := w.Prepare(ctx, "t_9", v.ID)
	must(w.t, err)
	return v.ID
}

// carry has a batch's state carried over to its texts.
func (w *world) carry(id string) {
	w.t.Helper()
	_, err := w.Move(ctx, "t_9", id)
	must(w.t, err)
}

// take claims one text, as a paced lane does that goes from worker to worker.
func (w *world) take() int {
	w.t.Helper()
	w.leased(time.Second)
	_, _, err := w.db.Lanes.QueueDue(ctx, w.lane, 1000)
	must(w.t, err)
	got, _, err := w.db.Lanes.Claim(ctx, w.lane, ledger.ClaimSize{N: 1, Base: w.clock.Now()})
	must(w.t, err)
	w.settle(ledger.Sent, got...)
	return len(got)
}

// leased takes Acme's lane over for a time.
func (w *world) leased(d time.Duration) {
	w.t.Helper()
	lanes, err := w.db.Lanes.AcquireAllTenants(ctx, "w1", d, 0, 1)
	must(w.t, err)
	if len(lanes) != 1 {
		w.t.Fatal("the lane is not due")
	}
	w.lane = lanes[0]
}

func TestTextsThatLayQueuedWhileEverythingWasDownAreJudgedToo(t *testing.T) {
	for name, l := range lateRules {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				id := w.ready(l)
				w.clock.Add(time.Minute)
				w.leased(12 * time.Second)
				if n, _, err := w.db.Lanes.QueueDue(ctx, w.lane, 1000); err != nil || n != 2 {
					t.Fatalf("%d queued at the time, %v", n, err)
				}
				w.clock.Add(26 * time.Hour) // the worker died, and a backup of that moment was restored
				w.lane = ledger.Lane{}
				if got := w.claim(); len(got) != 0 {
					t.Fatalf("%d of yesterday's texts went", len(got))
				}
				w.isLate(id, l)
			})
		})
	}
}

func TestALongBulkIsNotLateWhileItsLaneMoves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.later(time.Hour)
		r.Late = &texting.Late{AfterMinutes: 1, Do: "drop"}
		v := w.create(w.bulk("ana", crm.ModuleContact, "1", "2", "7", "20", "21"), "long", r)
		w.clock.Add(59 * time.Minute)
		w.due()
		_, err := w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		w.clock.Add(time.Minute)
		want := w.view(v.ID).Counts.Queued
		for range want {
			if w.take() != 1 {
				t.Fatalf("it stopped: %+v", w.view(v.ID).Counts)
			}
			w.clock.Add(50 * time.Second)
		}
		if c := w.view(v.ID).Counts; c.Sent != want || want < 4 {
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
				_, err := w.Resume(ctx, w.page("ana"), id)
				must(t, err)
				w.carry(id)
				if got := w.claim(); len(got) != 2 {
					t.Errorf("%d went when its sender said so", len(got))
				}
			})
		})
	}
}

// broken breaks the connection for a time, and mends it.
func (w *world) broken(d time.Duration, id string) {
	w.t.Helper()
	_, err := w.db.Batches.Hold(ctx, "t_9", "", ledger.HeldBroken, "broken")
	must(w.t, err)
	w.carry(id)
	w.clock.Add(d)
	_, err = w.db.Batches.Release(ctx, "t_9", ledger.HeldBroken)
	must(w.t, err)
	w.carry(id)
}

func TestAShortBreakInALongBulkMakesItNotLate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.ready(nil)
		w.clock.Add(time.Minute)
		if w.claim(); w.view(id).Counts.Sending != 2 {
			t.Fatal("it did not start")
		}
		w.clock.Add(5 * time.Hour) // as long as others of it take
		w.broken(2*time.Minute, id)
		if v := w.view(id); v.State != ledger.BatchSending {
			t.Errorf("%s: %v", v.State, v.Reason)
		}
	})
}

func TestWhoResumesALateBatchIsNotAskedTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.lateRule(nil)
		w.clock.Add(59 * time.Minute)
		w.due()
		_, err := w.db.Batches.Hold(ctx, "t_9", "", ledger.HeldDisconnected, "disconnected")
		must(t, err)
		w.clock.Add(5 * time.Hour)
		_, err = w.Resume(ctx, w.page("ana"), v.ID)
		must(t, err)
		_, err = w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if got := w.claim(); len(got) != 2 {
			t.Errorf("%d went; %s", len(got), w.view(v.ID).State)
		}
	})
}
