package jobs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/compose"
	"dialpad-texting/app/walltime"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const bob = "+14155550142" // contact 7

// applyEvent applies an event of the CRM about Acme. seq 0 is none.
func (w *world) applyEvent(seq int64, e crm.Event) error {
	w.t.Helper()
	e.Tenant = crm.Tenant{ID: "t_9"}
	if seq == 0 {
		return w.crmEvents.Apply(ctx, e, nil)
	}
	return w.crmEvents.Apply(ctx, e, &seq)
}

func (w *world) asker(id, email, role string, c *crm.LaunchTarget) access.Asker {
	w.t.Helper()
	t, err := w.db.Store.Tenants.Get(ctx, "t_9")
	w.must(err)
	return access.Asker{Tenant: t, UserID: id, Email: email, Name: email, Role: role, TimeZone: "America/New_York", Target: c}
}

// scheduleOne schedules a user's one-to-one text to Bob in an hour.
func (w *world) scheduleOne(id, email string) string {
	w.t.Helper()
	loc, err := time.LoadLocation("America/New_York")
	w.must(err)
	v, err := w.texts.Create(ctx, w.asker(id, email, "user", &crm.LaunchTarget{Mode: crm.ModeOne, Module: crm.ModuleContact, RecordIDs: []string{"7"}, ToNumber: "(415) 555-0142"}),
		models.NewID(), batch.Request{Message: "Hi Bob", Schedule: &walltime.Schedule{Local: w.clock.Now().Add(time.Hour).In(loc).Format("2006-01-02T15:04"), TimeZone: "America/New_York"}})
	w.must(err)
	return v.ID
}

func (w *world) isOptedOut(number string) bool {
	w.t.Helper()
	out, err := w.db.Suppressions.Contains(ctx, "t_9", number)
	w.must(err)
	return out
}

func TestDowngradeHoldsSchedulesAndUpgradeLetsResume(t *testing.T) {
	each(t, func(w *world) {
		id := w.scheduleOne("43", "ben@acme.com")
		w.must(w.applyEvent(1, crm.Event{Type: crm.EventPlanChanged}))
		if b := w.batch(id); b.State != ledger.BatchScheduled {
			w.t.Errorf("the same plan: %s", b.State)
		}
		w.clock.Add(time.Second)
		w.setPlan("starter")
		w.must(w.applyEvent(2, crm.Event{Type: crm.EventPlanChanged}))
		if b := w.batch(id); b.State != ledger.BatchHeld || b.HeldCode != ledger.HeldPlan || b.HeldReason != "Your plan no longer includes Dialpad" {
			w.t.Errorf("%s: %s", b.State, b.HeldReason)
		}
		ben := w.asker("43", "ben@acme.com", "user", nil)
		if _, err := w.texts.Resume(ctx, ben, id); err == nil {
			w.t.Error("resumed without the plan")
		}
		w.clock.Add(time.Second)
		w.setPlan("business")
		w.must(w.applyEvent(3, crm.Event{Type: crm.EventPlanChanged}))
		if b := w.batch(id); b.State != ledger.BatchHeld {
			w.t.Errorf("an upgrade sent it by itself: %s", b.State)
		}
		if v, err := w.texts.Resume(ctx, ben, id); err != nil || v.State != ledger.BatchScheduled {
			w.t.Errorf("resumed as %s, %v", v.State, err)
		}
	})
}

func TestDeactivatedUsersSchedulesAreHeld(t *testing.T) {
	each(t, func(w *world) {
		w.eventually(time.Minute, "the CRM's users are read", func() bool { _, err := w.db.Users.Get(ctx, "t_9", "43"); return err == nil })
		bens, anas := w.scheduleOne("43", "ben@acme.com"), w.scheduleOne("42", "ana@acme.com")
		w.must(w.applyEvent(5, crm.Event{Type: crm.EventUserDeactivated, UserID: "43", Email: "ben@acme.com"}))
		if b := w.batch(bens); b.State != ledger.BatchHeld || b.HeldCode != ledger.HeldUser || !strings.Contains(b.HeldReason, "deactivated in Salesmate") {
			w.t.Errorf("Ben's is %s: %s", b.State, b.HeldReason)
		}
		if b := w.batch(anas); b.State != ledger.BatchScheduled {
			w.t.Errorf("Ana's is %s", b.State)
		}
		if u, err := w.db.Users.Get(ctx, "t_9", "43"); err != nil || u.Active {
			w.t.Errorf("%+v, %v", u, err)
		}
	})
}

func TestUninstallCancelsBatchesAndCleansUpAtDialpad(t *testing.T) {
	each(t, func(w *world) {
		id := w.scheduleOne("43", "ben@acme.com")
		before := w.connection()
		_, err := w.db.Sessions.Create(ctx, models.Session{Kind: models.SessionPage, TenantID: "t_9", UserID: "42", ExpiresAt: w.clock.Now().Add(time.Hour)})
		w.must(err)
		w.must(w.applyEvent(7, crm.Event{Type: crm.EventAppUninstalled}))
		if n := w.db.CountSessions("t_9"); n != 0 {
			w.t.Errorf("%d sessions go on", n)
		}
		if b := w.batch(id); b.State != ledger.BatchCancelled || b.HeldReason != "The Dialpad app was removed" || b.FinishedAt == nil {
			w.t.Errorf("%s: %s", b.State, b.HeldReason)
		}
		w.eventually(time.Minute, "removed", func() bool {
			i, err := w.db.Installations.Get(ctx, "t_9")
			return (err != nil || i.State == models.Uninstalled) && w.connection().State == models.Disconnected
		})
		if before.SMSSubscription == "" || w.connection().SMSSubscription != "" {
			w.t.Errorf("subscription %q, then %q", before.SMSSubscription, w.connection().SMSSubscription)
		}
		w.must(w.applyEvent(7, crm.Event{Type: crm.EventAppUninstalled})) // a second time
	})
}

func TestHighestSequenceOfEachSubjectWins(t *testing.T) {
	each(t, func(w *world) {
		const zoe = "+13105550123"
		out := func(n string) crm.Event { return crm.Event{Type: crm.EventOptedOut, Number: n} }
		in := func(n string) crm.Event { return crm.Event{Type: crm.EventOptedIn, Number: n} }
		for i, step := range []struct {
			seq  int64
			e    crm.Event
			want bool // Bob is opted out
		}{
			{10, out("(415) 555-0142"), true},
			{9, in(bob), true},    // older
			{10, in(bob), true},   // repeated
			{11, in(bob), false},  // newer
			{11, out(bob), false}, // repeated
			{5, out(zoe), false},  // another number has a sequence of its own
			{0, out(bob), true},   // unordered
			{12, in(bob), false},
		} {
			w.must(w.applyEvent(step.seq, step.e))
			if w.isOptedOut(bob) != step.want {
				w.t.Errorf("step %d: Bob is out: %v", i, w.isOptedOut(bob))
			}
		}
		if !w.isOptedOut(zoe) {
			w.t.Error("Zoë's opt-out is lost")
		}
		w.must(w.applyEvent(20, crm.Event{Type: crm.EventPlanChanged}))
		w.must(w.applyEvent(19, crm.Event{Type: crm.EventAppUninstalled}))
		if i, err := w.db.Installations.Get(ctx, "t_9"); err != nil || i.State != models.Installed {
			w.t.Error("an event that was overtaken removed the app")
		}
		w.must(w.applyEvent(21, crm.Event{Type: crm.EventTenantRenamed}))
		var reason compose.Reason
		if err := w.applyEvent(30, out("12")); !errors.As(err, &reason) {
			w.t.Errorf("a number that is none: %v", err)
		}
	})
}
