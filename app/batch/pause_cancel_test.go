package batch_test

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/batch"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

const many = 4500 // more than two chunks

func TestPauseAndResume(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Tenant.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", many)
		wire := w.Claim()
		if v := w.MustDo(w.Pause, "b1"); v.State != ledger.BatchPaused || *v.Reason != "Paused by Ana Ruiz" || v.Counts.Queued+v.Counts.Sending != many {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		if len(w.Claim()) != 0 {
			t.Error("a paused batch sends")
		}
		if n := w.MustApplyState("b1"); n != many-len(wire) {
			t.Errorf("moved %d", n)
		}
		w.Settle(ledger.Sent, wire...)
		if v := w.MustView("b1"); v.State != ledger.BatchPaused || v.Counts.Sent != len(wire) || v.Counts.Queued != many-len(wire) || v.Counts.Held != 0 || v.ETA != nil {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		w.MustDo(w.Resume, "b1")
		if n := w.MustApplyState("b1"); n != many-len(wire) {
			t.Errorf("moved back %d", n)
		}
		if n := w.MustApplyState("b1"); n != 0 {
			t.Errorf("moved %d twice", n)
		}
		for range many {
			got := w.Claim()
			if len(got) == 0 {
				break
			}
			w.Settle(ledger.Sent, got...)
		}
		if v := w.MustView("b1"); v.State != ledger.BatchDone || v.Counts.Sent != many {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
	})
}

func TestCancelLeavesClaimedMessages(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Tenant.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", many)
		wire := w.Claim()
		if v := w.MustDo(w.Cancel, "b1"); v.State != ledger.BatchCancelled || *v.Reason != "Cancelled by Ana Ruiz" || v.FinishedAt == nil {
			t.Errorf("%+v", v)
		}
		if n := w.MustApplyState("b1"); n != many-len(wire) || len(w.Claim()) != 0 {
			t.Errorf("moved %d", n)
		}
		// One comes back as surely not accepted: it is cancelled, not
		// sent later.
		due := w.Clock.Now().Add(time.Second)
		settled, err := w.DB.Settle(Ctx, []ledger.Outcome{{ID: wire[0].ID, Attempt: wire[0].Attempt, State: ledger.Waiting, DueAt: &due}})
		Must(t, err)
		before := w.CountJobs("move_batch")
		Must(t, w.DB.FollowUp(Ctx, settled))
		if w.CountJobs("move_batch") != before+1 {
			t.Error("nobody takes care of what came back")
		}
		if n := w.MustApplyState("b1"); n != 1 {
			t.Errorf("moved %d that came back", n)
		}
		w.Settle(ledger.Sent, wire[1:]...)
		v := w.MustView("b1")
		if v.State != ledger.BatchCancelled || v.Counts.Sent != len(wire)-1 || v.Counts.Cancelled != many-len(wire)+1 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		for _, do := range []func(context.Context, access.Asker, string) (ledger.Batch, error){w.Cancel, w.Pause, w.Resume} {
			if _, err := do(Ctx, w.Page("ana"), "b1"); err == nil {
				t.Error("moved what is over")
			} else if code, _ := Refusal(err); code != "state_conflict" {
				t.Error(err)
			}
		}
	})
}

func TestCancelAScheduledBatch(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", w.Later(time.Hour))
		if v = w.MustDo(w.Cancel, v.ID); v.State != ledger.BatchCancelled || v.Counts.Cancelled != 2 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		w.Clock.Add(time.Hour)
		if n := w.MustStartDue(); n != (batch.DueCounts{}) {
			t.Errorf("%+v", n)
		}
	})
}

func TestCancelMessage(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", Text(Hi))
		list := w.Rows(v.ID)
		m, err := w.CancelMessage(Ctx, w.Page("ana"), list[0].ID)
		if err != nil || m.State != ledger.Cancelled || m.ErrorText != "Cancelled by Ana Ruiz" {
			t.Errorf("%+v, %v", m, err)
		}
		got := w.Claim()
		if len(got) != 1 || got[0].ID != list[1].ID {
			t.Fatalf("claimed %+v", got)
		}
		for _, id := range []string{list[0].ID, list[1].ID} { // over, and on the wire
			if _, err := w.CancelMessage(Ctx, w.Page("ana"), id); err == nil {
				t.Error("cancelled too late")
			}
		}
		w.Settle(ledger.Sent, got...)
		if v = w.MustView(v.ID); v.State != ledger.BatchDone || v.Counts.Cancelled != 1 || v.Counts.Sent != 1 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		last := w.MustCreate(w.One("ana", "7", Bob), "k2", Text("Hi"))
		if _, err := w.CancelMessage(Ctx, w.Page("ana"), w.Rows(last.ID)[0].ID); err != nil || w.MustView(last.ID).State != ledger.BatchDone {
			t.Errorf("a batch whose only text was cancelled is %s, %v", w.MustView(last.ID).State, err)
		}
	})
}

func TestHeldBatchExpiresAfterSevenDays(t *testing.T) {
	for code, act := range map[string]struct{ hold, back func(w *World) error }{
		ledger.HeldDisconnected: {func(w *World) error { return w.DB.Connections.Disconnect(Ctx, "t_9") }, func(w *World) error {
			w.Tenant.Connected(Company)
			return nil
		}},
		ledger.HeldPlan: {func(w *World) error { w.Clock.Add(time.Second); w.SetPlan("starter"); return nil }, func(w *World) error { w.Clock.Add(time.Second); w.SetPlan("business"); return nil }},
	} {
		t.Run(code, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				ids := map[string]string{
					"scheduled": w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", w.Later(time.Hour)).ID,
					"preparing": w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k2", Text(Hi)).ID,
					"sending":   w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k3", Text(Hi)).ID,
				}
				Must(t, act.hold(w))
				n, err := w.DB.Batches.Hold(Ctx, "t_9", "", code, "Held, in words")
				if err != nil || n != 3 {
					t.Fatalf("held %d, %v", n, err)
				}
				for was, id := range ids {
					w.MustApplyState(id)
					if v := w.MustView(id); v.State != ledger.BatchHeld || v.Counts.Held != 2 || *v.Reason != "Held, in words" {
						t.Errorf("%s: %s, %+v", was, v.State, v.Counts)
					}
					if _, err := w.Resume(Ctx, w.Page("ana"), id); err == nil {
						t.Errorf("%s: resumed without a connection or plan", was)
					}
				}
				Must(t, act.back(w))
				for was, id := range ids {
					if v := w.MustDo(w.Resume, id); v.State != was || v.Reason != nil || v.Counts.Queued != 2 {
						t.Errorf("%s: resumed as %s, %+v", was, v.State, v.Counts)
					}
					w.MustApplyState(id)
				}
				if got := w.Claim(); len(got) != 2 {
					t.Errorf("%d go on", len(got))
				}
			})
		})
	}
	Each(t, func(t *testing.T, w *World) {
		sending := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", Text(Hi)).ID
		preparing := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k2", Text(Hi)).ID
		_, err := w.DB.Batches.Hold(Ctx, "t_9", "", ledger.HeldPlan, "Your plan no longer includes Dialpad")
		Must(t, err)
		w.MustApplyState(sending)
		w.Clock.Add(7*24*time.Hour - time.Minute)
		if n, err := w.Scheduler.ExpireHeldAllTenants(Ctx, 10); n != 0 || err != nil {
			t.Errorf("expired %d early, %v", n, err)
		}
		w.Clock.Add(2 * time.Minute)
		if n, err := w.Scheduler.ExpireHeldAllTenants(Ctx, 10); n != 2 || err != nil {
			t.Errorf("expired %d, %v", n, err)
		}
		for _, id := range []string{sending, preparing} {
			w.MustApplyState(id)
			if v := w.MustView(id); v.State != ledger.BatchCancelled || v.Counts.Failed != 2 || v.FinishedAt == nil ||
				*v.Reason != "Not sent: it was held for seven days: Your plan no longer includes Dialpad" {
				t.Errorf("%s, %+v", v.State, v.Counts)
			}
		}
		if m := w.Rows(sending)[0]; m.State != ledger.Failed || m.ErrorCode != "held_too_long" || m.SettledAt == nil {
			t.Errorf("%+v", m)
		}
	})
}
