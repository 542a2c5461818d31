package jobs_test

import (
	"strings"
	"testing"
	"time"

	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// eventTimeout is when a test gives up on a change at Dialpad. The
// product promises five seconds; a busy machine may need more.
const eventTimeout = time.Minute

func TestChangeLogEventsUpdateTheAccount(t *testing.T) {
	each(t, func(w *world) {
		for _, step := range []struct {
			what   string
			change func() bool
			words  string
		}{
			{"suspended", func() bool { return w.phone.SuspendUser(sandbox.BenID) }, "The Dialpad account is suspended"},
			{"restored", func() bool { return w.phone.RestoreUser(sandbox.BenID) }, ""},
			{"number gone", func() bool { return w.phone.RemoveNumber(sandbox.BenID) }, "The Dialpad account has no phone number"},
			{"number back", func() bool { return w.phone.SetNumber(sandbox.BenID, "+14155550101") }, ""},
			{"deleted", func() bool { return w.phone.DeleteUser(sandbox.BenID) }, "The Dialpad account was deleted"},
			{"restored from deleted", func() bool { return w.phone.RestoreUser(sandbox.BenID) }, ""},
		} {
			step.change()
			w.eventually(eventTimeout, step.what, func() bool { return w.accountWords("ben@acme.com") == step.words })
		}
		all, err := w.db.Audits.List(ctx, "t_9", 100)
		w.must(err)
		n := 0
		for _, a := range all {
			if a.Action == "account.changed" {
				n++
			}
		}
		if n != 6 {
			w.t.Errorf("%d changes in the audit", n)
		}
	})
}

func TestSuspendedSenderSendsNothing(t *testing.T) {
	each(t, func(w *world) {
		w.phone.SuspendUser(sandbox.BenID)
		w.eventually(eventTimeout, "suspended", func() bool { return w.accountWords("ben@acme.com") != "" })
		w.acme.Batch("b1", ledger.ClassBulk, sandbox.BenID, "ben@acme.com", 5)
		w.eventually(eventTimeout, "failed", func() bool { return w.counts("b1").Failed == 5 })
		list, err := w.db.Messages.List(ctx, "t_9", "b1", nil, "", 10)
		w.must(err)
		if m := list[0]; m.ErrorText != "No Dialpad account found" || w.phone.SMSPosts() != 0 {
			w.t.Errorf("failed with %q; %d requests", m.ErrorText, w.phone.SMSPosts())
		}
	})
}

func TestWithoutEventsTheNextTextAndTheHourlySyncSeeChanges(t *testing.T) {
	each(t, func(w *world) {
		w.phone.Fault(sandbox.Fault{Kind: sandbox.EventsOff})
		w.phone.SuspendUser(sandbox.BenID)
		w.clock.Add(11 * time.Minute) // Ben's stored state is too old for a send
		w.acme.Batch("b1", ledger.ClassOneToOne, sandbox.BenID, "ben@acme.com", 1)
		w.eventually(eventTimeout, "failed", func() bool { return w.counts("b1").Failed == 1 })
		if w.accountWords("ben@acme.com") != "The Dialpad account is suspended" || w.phone.SMSPosts() != 0 {
			w.t.Errorf("Ben: %q; %d requests", w.accountWords("ben@acme.com"), w.phone.SMSPosts())
		}
		w.phone.RestoreUser(sandbox.BenID)
		w.phone.DeleteUser(sandbox.DanID)
		w.clock.Add(80 * time.Minute)
		w.eventuallySwept(time.Minute, "the hourly directory", func() bool {
			return w.accountWords("ben@acme.com") == "" && w.accountWords("dan@acme.com") == "The Dialpad account was deleted"
		})
	})
}

func TestConnectionFollowsItsAdminsSuspension(t *testing.T) {
	for _, events := range []string{"with events", "without events"} {
		t.Run(events, func(t *testing.T) {
			each(t, func(w *world) {
				at := w.clock.Now().Add(time.Hour)
				_, _, err := w.db.Batches.Create(ctx, ledger.Batch{ID: "later", TenantID: "t_9", UserID: "42", SenderEmail: "ana@acme.com", Source: ledger.SourceBulk,
					Class: ledger.ClassBulk, Module: "contact", Message: "Hi", IdempotencyKey: "later", State: ledger.BatchScheduled, SendAt: &at, LateMinutes: 60, LateDo: ledger.LateHold})
				w.must(err)
				if events == "without events" {
					w.phone.Fault(sandbox.Fault{Kind: sandbox.EventsOff})
				}
				w.phone.SuspendUser(sandbox.AnaID)
				w.acme.Batch("now", ledger.ClassBulk, sandbox.BenID, "ben@acme.com", 3)
				w.eventually(eventTimeout, "broken", func() bool { return w.connection().State == models.Broken })
				for _, id := range []string{"later", "now"} {
					w.eventually(eventTimeout, "held", func() bool { return w.batch(id).State == ledger.BatchHeld && w.batch(id).HeldCode == ledger.HeldBroken })
				}
				w.eventually(eventTimeout, "texts held", func() bool { return w.counts("now").Held == 3 })
				s, err := w.Installer.Status(ctx, w.admin)
				w.must(err)
				if s.Connected || s.State == nil || s.Connection.Reason == "" {
					w.t.Errorf("the page: %+v", s.Connection)
				}
				if events == "with events" { // a refused text may have broken it first
					w.eventually(eventTimeout, "the reason names the admin", func() bool { return strings.Contains(w.connection().Reason, "ana@acme.com") })
				}
				w.phone.RestoreUser(sandbox.AnaID)
				w.eventually(time.Minute, "connected again", func() bool {
					_, err := w.Installer.Status(ctx, w.admin) // somebody has the page open
					w.must(err)
					w.clock.Add(100 * time.Millisecond)
					return w.connection().State == models.Connected
				})
				w.eventually(time.Minute, "sent", func() bool { c := w.counts("now"); return c.Sent+c.Delivered == 3 })
				if b := w.batch("later"); b.State != ledger.BatchScheduled || b.HeldReason != "" {
					w.t.Errorf("the schedule is %s: %s", b.State, b.HeldReason)
				}
				for _, c := range w.phone.TextedTwice() {
					w.t.Errorf("texted twice: %+v", c)
				}
			})
		})
	}
}

func TestCompanyOnHoldBreaksTheConnection(t *testing.T) {
	each(t, func(w *world) {
		w.phone.SetCompanyState(sandbox.AcmeID, "on_hold")
		w.acme.Rate(120).Batch("b1", ledger.ClassBulk, sandbox.BenID, "ben@acme.com", 20)
		w.eventually(time.Minute, "broken", func() bool { return w.connection().State == models.Broken })
		if c := w.connection(); !strings.Contains(c.Reason, "on hold") {
			w.t.Errorf("reason: %s", c.Reason)
		}
		w.eventually(time.Minute, "held", func() bool { c := w.counts("b1"); return c.Held+c.Failed == 20 && c.Held >= 10 })
		w.phone.SetCompanyState(sandbox.AcmeID, "active")
		w.clock.Add(7 * time.Minute)
		w.eventuallySwept(time.Minute, "sent", func() bool { c := w.counts("b1"); return c.Sent+c.Delivered >= 10 && c.Held == 0 })
	})
}

func TestMissingSubscriptionsAreMadeAgain(t *testing.T) {
	each(t, func(w *world) {
		c := w.connection()
		g, err := w.db.Connections.OpenGrant(c)
		w.must(err)
		w.must(w.dp.DeleteSMSSubscription(ctx, g.Access, c.SMSSubscription))
		w.clock.Add(time.Minute)
		w.acme.Batch("b1", ledger.ClassOneToOne, sandbox.BenID, "ben@acme.com", 1)
		w.eventually(time.Minute, "sent", func() bool { return w.counts("b1").Sent == 1 })
		w.clock.Add(11 * time.Minute)
		w.eventuallySwept(time.Minute, "made again", func() bool { return w.connection().SMSSubscription != c.SMSSubscription })
		w.acme.Batch("b2", ledger.ClassOneToOne, sandbox.BenID, "ben@acme.com", 1)
		w.eventually(time.Minute, "delivered", func() bool { return w.counts("b2").Delivered == 1 })
	})
}

func TestHeldTextOfASendingBatchIsReleased(t *testing.T) {
	each(t, func(w *world) {
		list := w.acme.Batch("b1", ledger.ClassBulk, sandbox.BenID, "ben@acme.com", 2)
		w.eventually(time.Minute, "done", func() bool { return w.batch("b1").State == ledger.BatchDone })
		more := list[0]
		more.ID, more.RecordID, more.ToNumber, more.ToKey, more.State = models.NewID(), "77", "+14155550177", "key of 77", ledger.Held
		lane, err := w.db.Lanes.Get(ctx, "t_9", sandbox.AcmeID)
		w.must(err)
		_, err = w.db.Messages.Add(ctx, lane, []ledger.Message{more})
		w.must(err)
		// Only after its text is there: an event
		// of the others would finish it again.
		w.must(w.db.Batches.Update(ctx, "t_9", "b1", []string{ledger.BatchDone}, map[string]any{"state": ledger.BatchSending, "finished_at": nil}))
		w.clock.Add(time.Minute)
		w.eventuallySwept(time.Minute, "sent", func() bool { c := w.counts("b1"); return c.Sent+c.Delivered == 3 })
	})
}

// Without a content scope the event only says that somebody wrote.
func TestStopIsReadFromDialpadsList(t *testing.T) {
	each(t, func(w *world) {
		const bob = "+14155550142"
		w.eventually(time.Minute, "the list was read", func() bool { return w.connection().OptOutsAt != nil })
		if !w.phone.Reply(bob, "+14155550100", "STOP") {
			t.Fatal("nobody has Ana's number")
		}
		w.eventuallySwept(time.Minute, "opted out", func() bool {
			out, err := w.db.Suppressions.Contains(ctx, "t_9", bob)
			w.must(err)
			return out
		})
	})
}
