package texting_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
)

// moved carries a batch's state over to its messages, as its job does.
func (w *world) moved(id string) int {
	w.t.Helper()
	n, err := w.Move(ctx, "t_9", id)
	must(w.t, err)
	return n
}

// act does to a batch what Ana presses.
func (w *world) act(do func(context.Context, texting.Asker, string) (texting.BatchView, error), id string) texting.BatchView {
	w.t.Helper()
	v, err := do(ctx, w.page("ana"), id)
	must(w.t, err)
	w.addsUp(v)
	return v
}

const many = 4500 // more than two chunks

func TestAPauseParksEverythingAndAResumeBringsItBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", many)
		wire := w.claim()
		if v := w.act(w.Pause, "b1"); v.State != ledger.BatchPaused || *v.Reason != "Paused by Ana Ruiz" || v.Counts.Queued+v.Counts.Sending != many {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		if len(w.claim()) != 0 {
			t.Error("a paused batch sends")
		}
		if n := w.moved("b1"); n != many-len(wire) {
			t.Errorf("moved %d", n)
		}
		w.settle(ledger.Sent, wire...)
		if v := w.view("b1"); v.State != ledger.BatchPaused || v.Counts.Sent != len(wire) || v.Counts.Queued != many-len(wire) || v.Counts.Held != 0 || v.ETA != nil {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		w.act(w.Resume, "b1")
		if n := w.moved("b1"); n != many-len(wire) {
			t.Errorf("moved back %d", n)
		}
		if n := w.moved("b1"); n != 0 {
			t.Errorf("moved %d twice", n)
		}
		for range many {
			got := w.claim()
			if len(got) == 0 {
				break
			}
			w.settle(ledger.Sent, got...)
		}
		if v := w.view("b1"); v.State != ledger.BatchDone || v.Counts.Sent != many {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
	})
}

func TestACancelTakesTheRestAndLeavesWhatIsOnTheWire(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", many)
		wire := w.claim()
		if v := w.act(w.Cancel, "b1"); v.State != ledger.BatchCancelled || *v.Reason != "Cancelled by Ana Ruiz" || v.FinishedAt == nil {
			t.Errorf("%+v", v)
		}
		if n := w.moved("b1"); n != many-len(wire) || len(w.claim()) != 0 {
			t.Errorf("moved %d", n)
		}
		// One comes back as surely not accepted: it is cancelled, not sent later.
		due := w.clock.Now().Add(time.Second)
		settled, err := w.db.Settle(ctx, []ledger.Outcome{{ID: wire[0].ID, Attempt: wire[0].Attempt, State: ledger.Waiting, DueAt: &due}})
		must(t, err)
		before := w.jobs("move_batch")
		must(t, w.db.FollowUp(ctx, settled))
		if w.jobs("move_batch") != before+1 {
			t.Error("nobody takes care of what came back")
		}
		if n := w.moved("b1"); n != 1 {
			t.Errorf("moved %d that came back", n)
		}
		w.settle(ledger.Sent, wire[1:]...)
		v := w.view("b1")
		if v.State != ledger.BatchCancelled || v.Counts.Sent != len(wire)-1 || v.Counts.Cancelled != many-len(wire)+1 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		for _, do := range []func(context.Context, texting.Asker, string) (texting.BatchView, error){w.Cancel, w.Pause, w.Resume} {
			if _, err := do(ctx, w.page("ana"), "b1"); err == nil {
				t.Error("moved what is over")
			} else if code, _ := refused(err); code != "state_conflict" {
				t.Error(err)
			}
		}
	})
}

func TestAScheduleIsCancelledWhole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.bulk("ana", crm.ModuleContact, "7", "20"), "k1", w.later(time.Hour))
		if v = w.act(w.Cancel, v.ID); v.State != ledger.BatchCancelled || v.Counts.Cancelled != 2 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		w.clock.Add(time.Hour)
		if n := w.due(); n != (texting.DueCounts{}) {
			t.Errorf("%+v", n)
		}
	})
}

func TestOneTextOfABulkIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.prepared(w.bulk("ana", crm.ModuleContact, "7", "20"), "k1", says(hi))
		list := w.messages(v.ID)
		m, err := w.CancelMessage(ctx, w.page("ana"), list[0].ID)
		if err != nil || m.State != ledger.Cancelled || m.ErrorText != "Cancelled by Ana Ruiz" {
			t.Errorf("%+v, %v", m, err)
		}
		got := w.claim()
		if len(got) != 1 || got[0].ID != list[1].ID {
			t.Fatalf("claimed %+v", got)
		}
		for _, id := range []string{list[0].ID, list[1].ID} { // over, and on the wire
			if _, err := w.CancelMessage(ctx, w.page("ana"), id); err == nil {
				t.Error("cancelled too late")
			}
		}
		w.settle(ledger.Sent, got...)
		if v = w.view(v.ID); v.State != ledger.BatchDone || v.Counts.Cancelled != 1 || v.Counts.Sent != 1 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		last := w.create(w.one("ana", "7", bob), "k2", says("Hi"))
		if _, err := w.CancelMessage(ctx, w.page("ana"), w.messages(last.ID)[0].ID); err != nil || w.view(last.ID).State != ledger.BatchDone {
			t.Errorf("a batch whose only text was cancelled is %s, %v", w.view(last.ID).State, err)
		}
	})
}

func TestWhatIsHeldIsOfferedAndAfterSevenDaysFails(t *testing.T) {
	for code, act := range map[string]struct{ hold, back func(w *world) error }{
		ledger.HeldDisconnected: {func(w *world) error { return w.db.Connections.Disconnect(ctx, "t_9") }, func(w *world) error {
			w.acme.Connected(company)
			return nil
		}},
		ledger.HeldPlan: {func(w *world) error { w.clock.Add(time.Second); w.plan("starter"); return nil }, func(w *world) error { w.clock.Add(time.Second); w.plan("business"); return nil }},
	} {
		t.Run(code, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				ids := map[string]string{
					"scheduled": w.create(w.bulk("ana", crm.ModuleContact, "7", "20"), "k1", w.later(time.Hour)).ID,
					"preparing": w.create(w.bulk("ana", crm.ModuleContact, "7", "20"), "k2", says(hi)).ID,
					"sending":   w.prepared(w.bulk("ana", crm.ModuleContact, "7", "20"), "k3", says(hi)).ID,
				}
				must(t, act.hold(w))
				n, err := w.db.Batches.Hold(ctx, "t_9", "", code, "Held, in words")
				if err != nil || n != 3 {
					t.Fatalf("held %d, %v", n, err)
				}
				for was, id := range ids {
					w.moved(id)
					if v := w.view(id); v.State != ledger.BatchHeld || v.Counts.Held != 2 || *v.Reason != "Held, in words" {
						t.Errorf("%s: %s, %+v", was, v.State, v.Counts)
					}
					if _, err := w.Resume(ctx, w.page("ana"), id); err == nil {
						t.Errorf("%s: resumed without a connection or plan", was)
					}
				}
				must(t, act.back(w))
				for was, id := range ids {
					if v := w.act(w.Resume, id); v.State != was || v.Reason != nil || v.Counts.Queued != 2 {
						t.Errorf("%s: resumed as %s, %+v", was, v.State, v.Counts)
					}
					w.moved(id)
				}
				if got := w.claim(); len(got) != 2 {
					t.Errorf("%d go on", len(got))
				}
			})
		})
	}
	each(t, func(t *testing.T, w *world) {
		sending := w.prepared(w.bulk("ana", crm.ModuleContact, "7", "20"), "k1", says(hi)).ID
		preparing := w.create(w.bulk("ana", crm.ModuleContact, "7", "20"), "k2", says(hi)).ID
		_, err := w.db.Batches.Hold(ctx, "t_9", "", ledger.HeldPlan, "Your plan no longer includes Dialpad")
		must(t, err)
		w.moved(sending)
		w.clock.Add(7*24*time.Hour - time.Minute)
		if n, err := w.ExpireHeldAllTenants(ctx, 10); n != 0 || err != nil {
			t.Errorf("expired %d early, %v", n, err)
		}
		w.clock.Add(2 * time.Minute)
		if n, err := w.ExpireHeldAllTenants(ctx, 10); n != 2 || err != nil {
			t.Errorf("expired %d, %v", n, err)
		}
		for _, id := range []string{sending, preparing} {
			w.moved(id)
			if v := w.view(id); v.State != ledger.BatchCancelled || v.Counts.Failed != 2 || v.FinishedAt == nil ||
				*v.Reason != "Not sent: it was held for seven days: Your plan no longer includes Dialpad" {
				t.Errorf("%s, %+v", v.State, v.Counts)
			}
		}
		if m := w.messages(sending)[0]; m.State != ledger.Failed || m.ErrorCode != "held_too_long" || m.SettledAt == nil {
			t.Errorf("%+v", m)
		}
	})
}

func TestAPersonSeesTheirOwnAndAnAdminEverybodys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ana", "7", bob), "k1", says("Hi"))
		m := w.messages(v.ID)[0].ID
		ben, globex := w.page("ben"), w.page("ana")
		w.db.Tenant("t_10")
		other, err := w.db.Store.Tenants.Get(ctx, "t_10")
		must(t, err)
		globex.Tenant = other
		for who, a := range map[string]texting.Asker{"another user": ben, "another tenant": globex} {
			calls := map[string]func() error{
				"batch":    func() error { _, err := w.Batch(ctx, a, v.ID); return err },
				"messages": func() error { _, err := w.Messages(ctx, a, v.ID, "", ""); return err },
				"report":   func() error { return w.Report(ctx, a, v.ID, "", nil) },
				"cancel":   func() error { _, err := w.Cancel(ctx, a, v.ID); return err },
				"pause":    func() error { _, err := w.Pause(ctx, a, v.ID); return err },
				"resume":   func() error { _, err := w.Resume(ctx, a, v.ID); return err },
				"edit":     func() error { _, err := w.Edit(ctx, a, v.ID, texting.EditRequest{}); return err },
				"resend": func() error {
					_, err := w.Resend(ctx, a, v.ID, "r", texting.ResendRequest{States: []string{"failed"}})
					return err
				},
				"message": func() error { _, err := w.CancelMessage(ctx, a, m); return err },
				"receipt": func() error { _, err := w.Receipt(ctx, a, m); return err },
			}
			for name, call := range calls {
				if code, _ := refused(call()); code != "not_found" {
					t.Errorf("%s, %s: %s", who, name, code)
				}
			}
			if list, err := w.Batches(ctx, a, texting.Filter{}); err != nil || len(list.Batches) != 0 {
				t.Errorf("%s sees %d batches", who, len(list.Batches))
			}
		}
		own := w.create(w.one("ben", "7", bob), "k1", says("Hi"))
		if list, _ := w.Batches(ctx, ben, texting.Filter{}); len(list.Batches) != 1 || list.Batches[0].ID != own.ID {
			t.Errorf("Ben sees %+v", list)
		}
		if list, _ := w.Batches(ctx, w.page("ana"), texting.Filter{}); len(list.Batches) != 2 {
			t.Errorf("Ana sees %+v", list)
		}
	})
}

func TestABulkUnderWayIsFoundAgainInTheNextPopup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		running := func(who string) (ids []string) {
			t.Helper()
			v, err := w.Context(ctx, w.bulk(who, crm.ModuleContact, "1", "2"))
			must(t, err)
			for _, b := range v.Running {
				w.addsUp(b)
				ids = append(ids, b.ID)
			}
			return ids
		}
		first := w.prepared(w.bulk("ana", crm.ModuleContact, "7", "20"), "k1", says(hi))
		second := w.prepared(w.bulk("ana", crm.ModuleContact, "7", "20"), "k2", says(hi))
		w.create(w.bulk("ana", crm.ModuleContact, "7", "20"), "k3", w.later(3*time.Hour))
		w.act(w.Pause, first.ID)
		if d := cmp.Diff([]string{second.ID, first.ID}, running("ana")); d != "" {
			t.Error(d)
		}
		if got := running("ben"); len(got) > 0 {
			t.Errorf("Ben sees %v", got)
		}
		w.act(w.Cancel, second.ID)
		if d := cmp.Diff([]string{first.ID}, running("ana")); d != "" {
			t.Error(d)
		}
	})
}
