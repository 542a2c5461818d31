package jobs_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/access"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/outbox"
	"dialpad-texting/app/walltime"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// stopChangeLog ends the events about changes of people at Dialpad.
func (w *world) stopChangeLog() {
	w.t.Helper()
	w.must(w.dp.DeleteChangeLogSubscription(ctx, w.phone.IssueToken(sandbox.AnaID, "change_log"), w.connection().ChangeSubscription))
}

// benAsker is Ben with a popup for a contact.
func (w *world) benAsker() access.Asker {
	w.t.Helper()
	t, err := w.db.Store.Tenants.Get(ctx, "t_9")
	w.must(err)
	return access.Asker{Tenant: t, UserID: "43", Email: "ben@acme.com", Name: "Ben Okoro", Role: "user", TimeZone: "America/New_York",
		Target: &crm.LaunchTarget{Mode: "one", Module: "contact", RecordIDs: []string{"7"}, ToNumber: "+14155550142"}}
}

func (w *world) newYork() *time.Location {
	w.t.Helper()
	loc, err := time.LoadLocation("America/New_York")
	w.must(err)
	return loc
}

// scheduleIn schedules a text of Ben's for some time from now, to the minute.
func (w *world) scheduleIn(key string, from time.Duration) ledger.Batch {
	w.t.Helper()
	v, err := w.texts.Create(ctx, w.benAsker(), key, batch.Request{Message: "Hi", Schedule: &walltime.Schedule{
		Local: w.clock.Now().Add(from).In(w.newYork()).Format("2006-01-02T15:04"), TimeZone: "America/New_York"}})
	w.must(err)
	return v
}

// benReads counts how often Dialpad was asked for Ben.
func (w *world) benReads() (n int) {
	for _, r := range w.phone.Requests() {
		if r.Path == "/api/v2/users/"+sandbox.BenID {
			n++
		}
	}
	return n
}

// checkWarning waits until outbox and app page show a batch's warning.
func (w *world) checkWarning(id, words string) {
	w.t.Helper()
	w.eventuallySwept(eventTimeout, words, func() bool { return w.batch(id).Warning == words })
	asker := w.benAsker()
	v, err := w.texts.Outbox.Batches(ctx, asker, outbox.Filter{})
	w.must(err)
	for _, b := range v.Batches {
		if b.ID == id && (b.Warning == nil || *b.Warning != words) {
			w.t.Errorf("the outbox says %v", b.Warning)
		}
	}
	for _, session := range []models.Session{w.admin, {TenantID: "t_9", UserID: "43", Email: "ben@acme.com", Role: "user"}} {
		s, err := w.Installer.Status(ctx, session)
		w.must(err)
		if diff := cmp.Diff([]string{words}, s.Warnings); diff != "" {
			w.t.Errorf("the app page of %s: %s", session.UserID, diff)
		}
	}
}

func TestSenderIsReadADayAndAnHourBeforeASchedule(t *testing.T) {
	for name, before := range map[string]time.Duration{"a day": 24 * time.Hour, "an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				w.stopChangeLog()
				v := w.scheduleIn("k1", before+10*time.Minute)
				w.eventually(eventTimeout, "read when it is made", func() bool { return w.benReads() == 1 && !w.isStale(sandbox.BenID) })
				w.phone.SuspendUser(sandbox.BenID)
				w.clock.Add(v.SendAt.Add(-before - time.Minute).Sub(w.clock.Now()))
				w.must(w.Sweep(ctx))
				if got := w.batch(v.ID).Warning; got != "" || w.isStale(sandbox.BenID) || w.benReads() != 1 {
					t.Errorf("a minute earlier: %q, read %d times", got, w.benReads())
				}
				w.clock.Add(2 * time.Minute)
				w.must(w.Sweep(ctx))
				w.checkWarning(v.ID, "Ben's Dialpad account is suspended: this will fail "+w.dayWord(*v.SendAt)+".")
				w.phone.RestoreUser(sandbox.BenID)
				w.clock.Add(2 * time.Minute)
				w.must(w.Sweep(ctx))
				if w.benReads() != 2 {
					t.Errorf("read %d times", w.benReads())
				}
			})
		})
	}
}

// dayWord returns today or tomorrow, in New York.
func (w *world) dayWord(at time.Time) string {
	if at.In(w.newYork()).YearDay() == w.clock.Now().In(w.newYork()).YearDay() {
		return "today"
	}
	return "tomorrow"
}

func (w *world) isStale(id string) bool {
	w.t.Helper()
	a, err := w.db.Accounts.Get(ctx, "t_9", id)
	w.must(err)
	return a.Stale
}

func TestSenderIsReadWhenAScheduleIsMade(t *testing.T) {
	each(t, func(w *world) {
		w.stopChangeLog()
		w.phone.SuspendUser(sandbox.BenID)
		v := w.scheduleIn("k1", 3*24*time.Hour)
		w.checkWarning(v.ID, "Ben's Dialpad account is suspended: this will fail on "+v.SendAt.In(w.newYork()).Format("Monday")+".")
	})
}
