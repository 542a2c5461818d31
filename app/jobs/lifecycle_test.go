package jobs_test

import (
	"errors"
	"testing"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/outbox"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// view returns a batch as Ben's outbox shows it.
func (w *world) view(id string) outbox.BatchView {
	w.t.Helper()
	v, err := w.texts.Batch(ctx, w.benAsker(), id)
	w.must(err)
	return v
}

// checkView compares a batch's state, held code and reason.
func (w *world) checkView(when, id, state, code, reason string) {
	w.t.Helper()
	v := w.view(id)
	if v.State != state || deref(v.HeldCode) != code || deref(v.Reason) != reason {
		w.t.Errorf("%s: %s (%s): %s", when, v.State, deref(v.HeldCode), deref(v.Reason))
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// resume resumes a batch as Ben. It returns the code of a refusal, or "".
func (w *world) resume(id string) string {
	w.t.Helper()
	_, err := w.texts.Resume(ctx, w.benAsker(), id)
	var refusal *eligibility.Refusal
	var problem *apierror.Error
	switch {
	case errors.As(err, &refusal):
		return refusal.Code
	case errors.As(err, &problem):
		return problem.Code
	}
	w.must(err)
	return ""
}

// changePlan moves the tenant to another plan by an event of the CRM.
func (w *world) changePlan(plan string) {
	w.t.Helper()
	w.clock.Add(time.Second)
	w.setPlan(plan)
	w.applyUnordered(crm.Event{Type: crm.EventPlanChanged})
}

func TestScheduleSurvivesDisconnectAndDowngrade(t *testing.T) {
	stops := []struct {
		name, code, reason, refusal string
		stop, again                 func(w *world)
	}{
		{"disconnect, reconnect", ledger.HeldDisconnected, "Dialpad was disconnected", "not_connected",
			func(w *world) { w.must(w.Connections.Disconnect(ctx, "t_9", "42")) }, func(w *world) { w.connect() }},
		{"downgrade, upgrade", ledger.HeldPlan, "Your plan no longer includes Dialpad", "plan_required",
			func(w *world) { w.changePlan("starter") }, func(w *world) { w.changePlan("business") }},
	}
	for _, c := range stops {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(w *world) {
				soon, later, never := w.scheduleIn("soon", time.Hour), w.scheduleIn("later", 48*time.Hour), w.scheduleIn("never", 48*time.Hour)
				c.stop(w)
				for _, b := range []ledger.Batch{soon, later, never} {
					w.checkView("stopped", b.ID, ledger.BatchHeld, c.code, c.reason)
					if got := w.resume(b.ID); got != c.refusal {
						t.Errorf("resumed while it can't go: %q", got)
					}
				}
				w.clock.Add(3 * time.Hour)
				w.must(w.Sweep(ctx))
				c.again(w)
				for _, b := range []ledger.Batch{soon, later, never} { // may be resumed, and is not by itself
					w.checkView("again", b.ID, ledger.BatchHeld, c.code, c.reason)
				}
				if w.phone.SMSPosts() != 0 {
					t.Error("a text went that nobody resumed")
				}
				if got := w.resume(later.ID); got != "" {
					t.Errorf("not resumed: %s", got)
				}
				w.checkView("resumed", later.ID, ledger.BatchScheduled, "", "")
				if v := w.view(later.ID); !v.SendAt.Equal(*later.SendAt) {
					t.Errorf("its time is %s", v.SendAt)
				}
				if got := w.resume(soon.ID); got != "" {
					t.Errorf("not resumed: %s", got)
				}
				w.eventually(time.Minute, "what is past its time goes at once", func() bool { return w.view(soon.ID).State == ledger.BatchDone })
				w.clock.Add(7 * 24 * time.Hour)
				w.must(w.Sweep(ctx))
				w.checkView("seven days later", never.ID, ledger.BatchCancelled, ledger.HeldExpired, "Not sent: it was held for seven days: "+c.reason)
				if got := w.resume(never.ID); got != "state_conflict" {
					t.Errorf("resumed after seven days: %q", got)
				}
			})
		})
	}
}

func TestScheduleIsCancelledWithTheApp(t *testing.T) {
	for name, leave := range map[string]func(w *world){
		"removed by an admin":    func(w *world) { w.must(w.Installer.Remove(ctx, "t_9", "42")) },
		"uninstalled in the CRM": func(w *world) { w.applyUnordered(crm.Event{Type: crm.EventAppUninstalled}) },
		"disconnected before": func(w *world) {
			w.must(w.Connections.Disconnect(ctx, "t_9", "42"))
			w.must(w.Installer.Remove(ctx, "t_9", "42"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				b := w.scheduleIn("soon", time.Hour)
				leave(w)
				w.eventually(time.Minute, "cancelled", func() bool { return w.view(b.ID).State == ledger.BatchCancelled })
				w.checkView("gone", b.ID, ledger.BatchCancelled, w.batch(b.ID).HeldCode, "The Dialpad app was removed")
				if w.batch(b.ID).FinishedAt == nil {
					t.Error("it never ended")
				}
				w.eventually(time.Minute, "removed at Dialpad too", func() bool {
					_, err := w.db.Connections.Get(ctx, "t_9")
					return errors.Is(err, models.ErrNotFound) || !w.connection().Usable()
				})
				w.clock.Add(2 * time.Hour)
				w.connect() // the app comes back; its batches do not
				w.must(w.Sweep(ctx))
				w.checkView("back", b.ID, ledger.BatchCancelled, w.batch(b.ID).HeldCode, "The Dialpad app was removed")
				if got := w.resume(b.ID); got != "state_conflict" || w.phone.SMSPosts() != 0 {
					t.Errorf("resumed: %q; %d texts", got, w.phone.SMSPosts())
				}
			})
		})
	}
}
