package work_test

import (
	"errors"
	"testing"
	"time"

	"dialpad-texting/app/market"
	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// seen is what Ben's outbox says of a batch.
func (w *world) seen(id string) texting.BatchView {
	w.t.Helper()
	v, err := w.Texting.Batch(ctx, w.ben(), id)
	w.must(err)
	return v
}

// says checks a batch's state, the word and the sentence.
func (w *world) says(when, id, state, code, reason string) {
	w.t.Helper()
	v := w.seen(id)
	if v.State != state || pointed(v.HeldCode) != code || pointed(v.Reason) != reason {
		w.t.Errorf("%s: %s (%s): %s", when, v.State, pointed(v.HeldCode), pointed(v.Reason))
	}
}

func pointed(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// resumed is what Ben gets who presses Resume: "" when it goes on, else the code of the refusal.
func (w *world) resumed(id string) string {
	w.t.Helper()
	_, err := w.Texting.Resume(ctx, w.ben(), id)
	var refusal *market.Refusal
	var problem *texting.Problem
	switch {
	case errors.As(err, &refusal):
		return refusal.Code
	case errors.As(err, &problem):
		return problem.Code
	}
	w.must(err)
	return ""
}

// change moves the tenant to another plan, as the CRM tells it.
func (w *world) change(plan string) {
	w.t.Helper()
	w.clock.Add(time.Second)
	w.plan(plan)
	w.tells(crm.Event{Type: crm.EventPlanChanged})
}

// TestAScheduleLivesThroughWhatHappensToTheApp takes waiting batches through everything that may happen to plan,
// connection and installation before their time.
func TestAScheduleLivesThroughWhatHappensToTheApp(t *testing.T) {
	stops := []struct {
		name, code, reason, refusal string
		stop, again                 func(w *world)
	}{
		{"disconnect, reconnect", ledger.HeldDisconnected, "Dialpad was disconnected", "not_connected",
			func(w *world) { w.must(w.Market.Disconnect(ctx, "t_9", "42")) }, func(w *world) { w.connect() }},
		{"downgrade, upgrade", ledger.HeldPlan, "Your plan no longer includes Dialpad", "plan_required",
			func(w *world) { w.change("starter") }, func(w *world) { w.change("business") }},
	}
	for _, c := range stops {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(w *world) {
				soon, later, never := w.plans("soon", time.Hour), w.plans("later", 48*time.Hour), w.plans("never", 48*time.Hour)
				c.stop(w)
				for _, b := range []texting.BatchView{soon, later, never} {
					w.says("stopped", b.ID, ledger.BatchHeld, c.code, c.reason)
					if got := w.resumed(b.ID); got != c.refusal {
						t.Errorf("resumed while it can't go: %q", got)
					}
				}
				w.clock.Add(3 * time.Hour)
				w.must(w.Sweep(ctx))
				c.again(w)
				for _, b := range []texting.BatchView{soon, later, never} { // offered, and not done by itself
					w.says("again", b.ID, ledger.BatchHeld, c.code, c.reason)
				}
				if w.phone.SMSPosts() != 0 {
					t.Error("a text went that nobody resumed")
				}
				if got := w.resumed(later.ID); got != "" {
					t.Errorf("not resumed: %s", got)
				}
				w.says("resumed", later.ID, ledger.BatchScheduled, "", "")
				if v := w.seen(later.ID); !v.SendAt.Equal(*later.SendAt) {
					t.Errorf("its time is %s", v.SendAt)
				}
				if got := w.resumed(soon.ID); got != "" {
					t.Errorf("not resumed: %s", got)
				}
				w.within(time.Minute, "what is past its time goes at once", func() bool { return w.seen(soon.ID).State == ledger.BatchDone })
				w.clock.Add(7 * 24 * time.Hour)
				w.must(w.Sweep(ctx))
				w.says("seven days later", never.ID, ledger.BatchCancelled, ledger.HeldExpired, "Not sent: it was held for seven days: "+c.reason)
				if got := w.resumed(never.ID); got != "state_conflict" {
					t.Errorf("resumed after seven days: %q", got)
				}
			})
		})
	}
}

func TestASchedulePerishesWithTheApp(t *testing.T) {
	for name, leave := range map[string]func(w *world){
		"removed by an admin":    func(w *world) { w.must(w.Market.Remove(ctx, "t_9", "42")) },
		"uninstalled in the CRM": func(w *world) { w.tells(crm.Event{Type: crm.EventAppUninstalled}) },
		"disconnected before": func(w *world) {
			w.must(w.Market.Disconnect(ctx, "t_9", "42"))
			w.must(w.Market.Remove(ctx, "t_9", "42"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				b := w.plans("soon", time.Hour)
				leave(w)
				w.within(time.Minute, "cancelled", func() bool { return w.seen(b.ID).State == ledger.BatchCancelled })
				w.says("gone", b.ID, ledger.BatchCancelled, w.batch(b.ID).HeldCode, "The Dialpad app was removed")
				if w.batch(b.ID).FinishedAt == nil {
					t.Error("it never ended")
				}
				w.within(time.Minute, "removed at Dialpad too", func() bool {
					_, err := w.db.Connections.Get(ctx, "t_9")
					return errors.Is(err, models.ErrNotFound) || !w.connection().Usable()
				})
				w.clock.Add(2 * time.Hour)
				w.connect() // the app comes back; what went with it does not
				w.must(w.Sweep(ctx))
				w.says("back", b.ID, ledger.BatchCancelled, w.batch(b.ID).HeldCode, "The Dialpad app was removed")
				if got := w.resumed(b.ID); got != "state_conflict" || w.phone.SMSPosts() != 0 {
					t.Errorf("resumed: %q; %d texts", got, w.phone.SMSPosts())
				}
			})
		})
	}
}
