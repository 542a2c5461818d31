package work_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
)

// deaf ends the change log's events: what happens to people at Dialpad from now on, nobody tells.
func (w *world) deaf() {
	w.t.Helper()
	w.must(w.dp.DeleteChangeLogSubscription(ctx, w.phone.IssueToken(sandbox.AnaID, "change_log"), w.connection().ChangeSubscription))
}

// ben is Ben with a popup for a contact.
func (w *world) ben() texting.Asker {
	w.t.Helper()
	t, err := w.db.Store.Tenants.Get(ctx, "t_9")
	w.must(err)
	return texting.Asker{Tenant: t, UserID: "43", Email: "ben@acme.com", Name: "Ben Okoro", Role: "user", TimeZone: "America/New_York",
		Ctx: &crm.Ctx{Mode: "one", Module: "contact", RecordIDs: []string{"7"}, ToNumber: "+14155550142"}}
}

func (w *world) newYork() *time.Location {
	w.t.Helper()
	loc, err := time.LoadLocation("America/New_York")
	w.must(err)
	return loc
}

// plans schedules a text of Ben's for some time from now, to the minute.
func (w *world) plans(key string, from time.Duration) texting.BatchView {
	w.t.Helper()
	v, err := w.Texting.Create(ctx, w.ben(), key, texting.BatchRequest{Message: "Hi", Schedule: &texting.Schedule{
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

// foretold waits until the outbox and the app page say what will become of a batch.
func (w *world) foretold(id, words string) {
	w.t.Helper()
	w.swept(heardWithin, words, func() bool { return w.batch(id).Warning == words })
	asker := w.ben()
	v, err := w.Texting.Batches(ctx, asker, texting.Filter{})
	w.must(err)
	for _, b := range v.Batches {
		if b.ID == id && (b.Warning == nil || *b.Warning != words) {
			w.t.Errorf("the outbox says %v", b.Warning)
		}
	}
	for _, session := range []models.Session{w.admin, {TenantID: "t_9", UserID: "43", Email: "ben@acme.com", Role: "user"}} {
		s, err := w.Market.Status(ctx, session)
		w.must(err)
		if diff := cmp.Diff([]string{words}, s.Warnings); diff != "" {
			w.t.Errorf("the app page of %s: %s", session.UserID, diff)
		}
	}
}

func TestASenderIsLookedAtADayAndAnHourBeforeThoughNoEventCame(t *testing.T) {
	for name, before := range map[string]time.Duration{"a day": 24 * time.Hour, "an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				w.deaf()
				v := w.plans("k1", before+10*time.Minute)
				w.within(heardWithin, "read when it is made", func() bool { return w.benReads() == 1 && !w.stale(sandbox.BenID) })
				w.phone.SuspendUser(sandbox.BenID)
				w.clock.Add(v.SendAt.Add(-before - time.Minute).Sub(w.clock.Now()))
				w.must(w.Sweep(ctx))
				if got := w.batch(v.ID).Warning; got != "" || w.stale(sandbox.BenID) || w.benReads() != 1 {
					t.Errorf("a minute earlier: %q, read %d times", got, w.benReads())
				}
				w.clock.Add(2 * time.Minute)
				w.must(w.Sweep(ctx))
				w.foretold(v.ID, "Ben's Dialpad account is suspended: this will fail "+w.day(*v.SendAt)+".")
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

// day is today or tomorrow in New York.
func (w *world) day(at time.Time) string {
	if at.In(w.newYork()).YearDay() == w.clock.Now().In(w.newYork()).YearDay() {
		return "today"
	}
	return "tomorrow"
}

func (w *world) stale(id string) bool {
	w.t.Helper()
	a, err := w.db.Accounts.Get(ctx, "t_9", id)
	w.must(err)
	return a.Stale
}

func TestASenderIsLookedAtWhenAScheduleIsMadeThoughNoEventCame(t *testing.T) {
	each(t, func(w *world) {
		w.deaf()
		w.phone.SuspendUser(sandbox.BenID)
		v := w.plans("k1", 3*24*time.Hour)
		w.foretold(v.ID, "Ben's Dialpad account is suspended: this will fail on "+v.SendAt.In(w.newYork()).Format("Monday")+".")
	})
}
