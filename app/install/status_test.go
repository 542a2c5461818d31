package install_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestStatusOfAConnectedTenant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		w.db.ScheduledBatch("t_9", "b1")
		must(t, w.SaveSettings(ctx, "t_9", "42", models.Settings{Country: "US", RatePerMinute: 100, Reserve: 5, QuietFrom: "20:00", QuietTo: "08:00"}))
		got, err := w.Status(ctx, w.admin)
		must(t, err)
		asJSON, err := json.MarshalIndent(got, "", " ")
		must(t, err)
		want := `{
 "plan_ok": true,
 "installed": true,
 "connected": true,
 "state": null,
 "role": "admin",
 "plan": {
  "key": "business",
  "name": "Business",
  "includes_dialpad": true
 },
 "plans": [
  {
   "key": "business",
   "name": "Business",
   "includes_dialpad": true
  },
  {
   "key": "enterprise",
   "name": "Enterprise",
   "includes_dialpad": true
  }
 ],
 "installed_by": "Admin",
 "connection": {
  "company": "Acme Inc",
  "connected_by": "ana@acme.com",
  "connected_at": "2026-03-02T15:00:00Z",
  "state": "connected",
  "rate_per_minute": 100,
  "reserve": 5,
  "used_last_minute": 0,
  "allowed_per_minute": 95,
  "learned_rate": null,
  "limited_at": null,
  "limited_words": "",
  "last_event_at": null,
  "last_checked_at": "2026-03-02T15:00:00Z",
  "directory_at": "2026-03-02T15:00:00Z",
  "token_expires_at": "2026-03-02T16:00:00Z",
  "subscriptions": {
   "sms": true,
   "change_log": true,
   "note": ""
  }
 },
 "attempt": {
  "step": "done",
  "code": "",
  "message": "",
  "started_at": "2026-03-02T15:00:00Z"
 },
 "settings": {
  "country": "US",
  "rate_per_minute": 100,
  "reserve": 5,
  "quiet_hours": {
   "from": "20:00",
   "to": "08:00"
  },
  "keep_laws": false,
  "opt_out_line": "",
  "confirm_over": 50
 },
 "queue": {
  "waiting": 0,
  "scheduled": 1,
  "held": 0,
  "sent_last_hour": 0,
  "failed_last_hour": 0,
  "uncertain": 0
 },
 "warnings": [],
 "held": [],
 "you": {
  "able": false,
  "email": "ana@acme.com",
  "number": "",
  "code": "no_account",
  "reason": "No Dialpad account found"
 }
}`
		if diff := cmp.Diff(want, string(asJSON)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStatusShowsDialpadsLastRateLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		said := w.clock.Now().Add(-time.Minute)
		l, err := w.db.Lanes.Get(ctx, "t_9", sandbox.AcmeID)
		must(t, err)
		l.LearnedRate, l.LearnedAt, l.LimitedAt, l.LimitedWords = 70.4, &said, &said, "Rate limit reached"
		must(t, w.db.Lanes.SavePace(ctx, l))
		s, err := w.Status(ctx, w.admin)
		must(t, err)
		c := s.Connection
		if c.LimitedAt == nil || !c.LimitedAt.Equal(said) || c.LimitedWords != "Rate limit reached" || c.LearnedRate == nil || *c.LearnedRate < 70 || c.Allowed != 70 || c.RatePerMinute != 100 {
			t.Errorf("got %+v", c)
		}
	})
}

func TestStatusEnqueuesACheckOfABrokenConnection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		check := func() int {
			t.Helper()
			_, err := w.Status(ctx, w.admin)
			must(t, err)
			return w.db.CountJobs("check_connection")
		}
		w.clock.Add(time.Minute)
		if n := check(); n != 0 {
			t.Errorf("%d checks of one that is well", n)
		}
		must(t, w.tokens.Break(ctx, "t_9", 0, "It broke."))
		check()
		if n := check(); n != 1 {
			t.Errorf("%d checks of a broken one", n)
		}
	})
}

func TestStatusWithoutAWorkingConnection(t *testing.T) {
	w := newSQLite(t)
	if s, err := w.Status(ctx, w.admin); err != nil || !s.Installed || s.Connected || s.Connection != nil || s.State == nil || s.State.Code != "not_connected" || s.Attempt != nil {
		t.Errorf("installed: %+v %v", s, err)
	}
	w.connected()
	must(t, w.tokens.Break(ctx, "t_9", 0, "It broke."))
	s, err := w.Status(ctx, w.admin)
	if err != nil || s.Connected || s.Connection == nil || s.Connection.State != models.Broken || s.Connection.Reason != "It broke." {
		t.Errorf("broken: %+v %v", s, err)
	}
	_, err = w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: "t_10", Linkname: "globex", Name: "Globex", Plan: "starter", SignedAt: w.clock.Now()})
	must(t, err)
	s, err = w.Status(ctx, models.Session{TenantID: "t_10", UserID: "51", Role: "user"})
	must(t, err)
	if s.PlanOK || s.Installed || s.State.Code != "plan_required" || s.Role != "user" || len(s.Plans) != 3 || s.Plans[0].Name != "Starter" || s.Plans[0].IncludesDialpad {
		t.Errorf("without the plan: %+v", s)
	}
}

func TestStatusWarnsOfSchedulesThatWillFail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i, b := range []struct{ user, warning, state string }{
			{"43", "Ben's is suspended", ledger.BatchScheduled}, {"42", "Ana's is suspended", ledger.BatchScheduled},
			{"42", "Ana's is suspended", ledger.BatchScheduled}, {"42", "", ledger.BatchScheduled}, {"42", "Over", ledger.BatchCancelled}} {
			at := w.clock.Now().Add(time.Duration(10-i) * time.Hour)
			id := string(rune('a' + i))
			_, _, err := w.db.Batches.Create(ctx, ledger.Batch{ID: id, TenantID: "t_9", UserID: b.user, Source: ledger.SourceBulk, Class: ledger.ClassBulk,
				Module: "contact", Message: "Hi", IdempotencyKey: id, State: b.state, SendAt: &at, Warning: b.warning})
			must(t, err)
		}
		for _, c := range []struct {
			id, role string
			want     []string
		}{{"42", "admin", []string{"Ana's is suspended", "Ben's is suspended"}}, {"43", "user", []string{"Ben's is suspended"}}, {"44", "user", []string{}}} {
			s, err := w.Status(ctx, models.Session{TenantID: "t_9", UserID: c.id, Role: c.role})
			must(t, err)
			if diff := cmp.Diff(c.want, s.Warnings); diff != "" {
				t.Errorf("%s sees\n%s", c.id, diff)
			}
		}
	})
}

func TestStatusListsReasonsOfHeldBatches(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i, b := range []struct{ user, reason, state string }{
			{"43", "Dialpad was disconnected", ledger.BatchHeld}, {"42", "The time passed", ledger.BatchHeld}, {"42", "Dialpad was disconnected", ledger.BatchHeld},
			{"42", "The time passed", ledger.BatchHeld}, {"43", "Paused by Ben", ledger.BatchPaused}, {"42", "Over", ledger.BatchCancelled}} {
			id := string(rune('a' + i))
			_, _, err := w.db.Batches.Create(ctx, ledger.Batch{ID: id, TenantID: "t_9", UserID: b.user, Source: ledger.SourceBulk, Class: ledger.ClassBulk,
				Module: "contact", Message: "Hi", IdempotencyKey: id, State: b.state, HeldReason: b.reason})
			must(t, err)
		}
		for _, c := range []struct {
			id, role string
			want     []string
		}{{"42", "admin", []string{"The time passed", "Dialpad was disconnected"}}, {"43", "user", []string{"Dialpad was disconnected"}}, {"44", "user", []string{}}} {
			s, err := w.Status(ctx, models.Session{TenantID: "t_9", UserID: c.id, Role: c.role})
			must(t, err)
			if diff := cmp.Diff(c.want, s.Held); diff != "" {
				t.Errorf("%s sees\n%s", c.id, diff)
			}
		}
	})
}
