package jobs_test

import (
	"testing"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/ledger"
)

// storeScheduled stores a batch of Ben's that is due in an hour.
func (w *world) storeScheduled(id string) {
	w.t.Helper()
	at := w.clock.Now().Add(time.Hour)
	_, _, err := w.db.Batches.Create(ctx, ledger.Batch{ID: id, TenantID: "t_9", UserID: "43", UserEmail: "ben@acme.com", SenderEmail: "ben@acme.com", Source: ledger.SourceBulk,
		Class: ledger.ClassBulk, Module: "contact", RecordIDs: []string{"7"}, ToField: "mobile", Message: "Hi", Expected: 1, IdempotencyKey: id,
		State: ledger.BatchScheduled, SendAt: &at, LateMinutes: 60, LateDo: ledger.LateHold})
	w.must(err)
}

// applyUnordered applies an event of the CRM without a seq.
func (w *world) applyUnordered(e crm.Event) {
	w.t.Helper()
	e.Tenant.ID = "t_9"
	w.must(w.crmEvents.Apply(ctx, e, nil))
}

func (w *world) setPlan(plan string) { w.SetPlan(w.t, plan) }

func TestEachHoldHasItsOwnCode(t *testing.T) {
	each(t, func(w *world) {
		w.storeScheduled("deactivated")
		w.applyUnordered(crm.Event{Type: crm.EventUserDeactivated, UserID: "43"})
		w.storeScheduled("downgraded")
		w.clock.Add(time.Second)
		w.setPlan("starter")
		w.applyUnordered(crm.Event{Type: crm.EventPlanChanged})
		for id, code := range map[string]string{"deactivated": ledger.HeldUser, "downgraded": ledger.HeldPlan} {
			if b := w.batch(id); b.State != ledger.BatchHeld || b.HeldCode != code || b.HeldReason == "" {
				w.t.Errorf("%s is %s for %q: %s", id, b.State, b.HeldCode, b.HeldReason)
			}
		}
	})
}

func TestBatchHeldByADisconnectCanBeResumed(t *testing.T) {
	each(t, func(w *world) {
		w.storeScheduled("b1")
		w.must(w.Connections.Disconnect(ctx, "t_9", "42"))
		asker := access.Asker{UserID: "43", Email: "ben@acme.com", Name: "Ben Okoro", Role: "user"}
		var err error
		asker.Tenant, err = w.db.Store.Tenants.Get(ctx, "t_9")
		w.must(err)
		if _, err := w.texts.Resume(ctx, asker, "b1"); err == nil {
			w.t.Error("resumed without a connection")
		}
		w.connect()
		if b := w.batch("b1"); b.State != ledger.BatchHeld || b.HeldCode != ledger.HeldDisconnected {
			w.t.Fatalf("after the reconnect it is %s for %q", b.State, b.HeldCode)
		}
		if v, err := w.texts.Resume(ctx, asker, "b1"); err != nil || v.State != ledger.BatchScheduled || v.HeldReason != "" {
			w.t.Errorf("resumed: %+v %v", v, err)
		}
		if b := w.batch("b1"); b.HeldCode != "" {
			w.t.Errorf("still held for %q", b.HeldCode)
		}
	})
}

func TestScheduleThatPassedWhileBrokenFollowsItsLateRule(t *testing.T) {
	each(t, func(w *world) {
		w.storeScheduled("late")
		w.phone.SuspendUser(sandbox.AnaID)
		w.eventually(eventTimeout, "held", func() bool { return w.batch("late").HeldCode == ledger.HeldBroken })
		w.clock.Add(3 * time.Hour)
		w.storeScheduled("in time")
		w.phone.RestoreUser(sandbox.AnaID)
		w.eventually(time.Minute, "decided by the late rule", func() bool { b := w.batch("late"); return b.State == ledger.BatchHeld && b.HeldCode == ledger.HeldLate })
		if b := w.batch("in time"); b.State != ledger.BatchScheduled {
			w.t.Errorf("the other one is %s", b.State)
		}
	})
}

func TestRefusedSubscriptionIsRetriedWithinTheHour(t *testing.T) {
	each(t, func(w *world) {
		first := w.connection()
		token := w.phone.IssueToken(sandbox.AnaID, "change_log")
		foreign, err := w.dp.CreateWebhook(ctx, token, "https://other.example/hook", "s")
		w.must(err)
		w.must(w.dp.DeleteSMSSubscription(ctx, token, first.SMSSubscription))
		var theirs []string
		for range 10 {
			s, err := w.dp.CreateSMSSubscription(ctx, token, foreign.ID)
			w.must(err)
			theirs = append(theirs, s.ID)
		}
		w.clock.Add(28 * time.Hour)
		begun := w.clock.Now()
		w.eventuallySwept(time.Minute, "the daily check", func() bool {
			c := w.connection()
			return c.SubscriptionsNote != "" && c.LastCheckedAt != nil && c.LastCheckedAt.After(begun)
		})
		s, err := w.Installer.Status(ctx, w.admin)
		w.must(err)
		if !s.Connected || s.Connection.Subscriptions.SMS || s.Connection.Subscriptions.Note == "" {
			w.t.Errorf("the page: %+v", s.Connection.Subscriptions)
		}
		w.must(w.dp.DeleteSMSSubscription(ctx, token, theirs[0]))
		w.clock.Add(75 * time.Minute)
		w.eventuallySwept(time.Minute, "subscribed", func() bool { c := w.connection(); return c.SMSSubscription != "" && c.SubscriptionsNote == "" })
		left, err := w.dp.SMSSubscriptions(ctx, token)
		w.must(err)
		if len(left) != 10 {
			w.t.Errorf("%d subscriptions: another app's were touched", len(left))
		}
	})
}
