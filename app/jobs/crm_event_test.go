package jobs_test

import (
	"errors"
	"fmt"
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

// dump returns the tenant's batches and messages as text.
func (w *world) dump() string {
	w.t.Helper()
	var all []any
	batches, err := w.db.Batches.List(ctx, "t_9", ledger.BatchFilter{}, "", 100)
	w.must(err)
	for _, b := range batches {
		list, err := w.db.Messages.List(ctx, "t_9", b.ID, nil, "", 100)
		w.must(err)
		all = append(all, b, list)
	}
	return fmt.Sprintf("%+v", all)
}

func TestEraseLeavesNothingOfAPersonButTheOptOut(t *testing.T) {
	for by, e := range map[string]crm.Event{"number": {Type: crm.EventDataErase, Number: "415-555-0142"}, "contact": {Type: crm.EventDataErase, ContactID: "7"},
		"both": {Type: crm.EventDataErase, ContactID: "7", Number: bob}} {
		t.Run(by, func(t *testing.T) {
			each(t, func(w *world) {
				ana := w.asker("42", "ana@acme.com", "admin", &crm.LaunchTarget{Mode: crm.ModeOne, Module: crm.ModuleContact, RecordIDs: []string{"7"}, ToNumber: "(415) 555-0142"})
				sent, err := w.texts.Create(ctx, ana, "k1", batch.Request{Message: "Dear Bob, yes"})
				w.must(err)
				w.eventually(time.Minute, "delivered", func() bool { return w.counts(sent.ID).Delivered == 1 })
				later := w.scheduleOne("43", "ben@acme.com")
				bulk := w.asker("42", "ana@acme.com", "admin", &crm.LaunchTarget{Mode: crm.ModeBulk, Module: crm.ModuleContact, RecordIDs: []string{"7", "20"}})
				waiting, err := w.texts.Create(ctx, bulk, "k2", batch.Request{Message: "Hi {{Contact.firstName}}"})
				w.must(err)
				w.eventually(time.Minute, "sent", func() bool { c := w.counts(waiting.ID); return c.Sent+c.Delivered == 2 })
				_, err = w.db.Suppressions.Add(ctx, "t_9", bob, models.OptOutReply, "")
				w.must(err)

				w.must(w.applyEvent(50, crm.Event{Type: crm.EventPlanChanged}))
				w.must(w.applyEvent(40, e)) // an older seq than the event before
				w.must(w.applyEvent(40, e))
				left := w.dump()
				for _, secret := range []string{bob, "5550142", "555-0142", "Dear Bob", "Hi Bob", "Bob Tanaka"} {
					if strings.Contains(left, secret) {
						w.t.Errorf("%q is left", secret)
					}
				}
				if !strings.Contains(left, "+12075550134") || !strings.Contains(left, "Hi Finn") {
					w.t.Error("somebody else's texts are gone")
				}
				if b := w.batch(later); b.State != ledger.BatchCancelled || b.HeldReason != "This person's data was erased" {
					w.t.Errorf("the schedule is %s: %s", b.State, b.HeldReason)
				}
				if !w.isOptedOut(bob) {
					w.t.Error("the opt-out is gone")
				}
				if c := w.counts(sent.ID); c.Delivered != 1 {
					w.t.Errorf("the counts changed: %+v", c)
				}
			})
		})
	}
}
