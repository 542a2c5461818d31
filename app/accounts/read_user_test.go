package accounts_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

func TestStaleAccountsAreReadAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		w.sandbox.SuspendUser(sandbox.BenID)
		w.clock.Add(time.Second)
		must(t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID, sandbox.AnaID, "77"}))
		if !w.account(sandbox.BenID).Stale {
			t.Fatal("not stale")
		}
		w.clock.Add(time.Second)
		got, err := w.ReadStale(ctx, "t_9")
		if err != nil || got != (accounts.Counts{Read: 2, Changed: 1}) {
			t.Errorf("counts %+v, %v", got, err)
		}
		if ben := w.account(sandbox.BenID); ben.Stale || ben.State != models.AccountSuspended {
			t.Errorf("account %+v", ben)
		}
		if got, err := w.ReadStale(ctx, "t_9"); err != nil || got.Read != 0 {
			t.Errorf("again: %+v %v", got, err)
		}
	})
}

func TestEventDuringAReadKeepsTheAccountStale(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		must(t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID}))
		w.on(func(*http.Request) {
			w.on(nil)
			w.clock.Add(time.Second)
			must(t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID}))
		})
		_, err := w.ReadStale(ctx, "t_9")
		must(t, err)
		if !w.account(sandbox.BenID).Stale {
			t.Error("an answer from before the event made the account fresh")
		}
		w.clock.Add(time.Second)
		_, err = w.ReadStale(ctx, "t_9")
		must(t, err)
		if w.account(sandbox.BenID).Stale {
			t.Error("an answer from after the event did not")
		}
	})
}

func TestFreshReadsOldAndStaleAccounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		asked := func() int { return w.requests("/api/v2/users/" + sandbox.BenID) }
		fresh := func() models.Account {
			t.Helper()
			a, err := w.Fresh(ctx, "t_9", sandbox.BenID, 10*time.Minute)
			must(t, err)
			return a
		}
		w.clock.Add(10 * time.Minute)
		if a := fresh(); !a.CanText() || asked() != 0 {
			t.Errorf("ten minutes old: asked %d times", asked())
		}
		w.sandbox.SuspendUser(sandbox.BenID)
		w.clock.Add(time.Second)
		if a := fresh(); a.CanText() || a.State != models.AccountSuspended || asked() != 1 {
			t.Errorf("older: %+v, asked %d times", a, asked())
		}
		fresh()
		if asked() != 1 {
			t.Errorf("asked again: %d", asked())
		}
		w.sandbox.RestoreUser(sandbox.BenID)
		must(t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID}))
		w.clock.Add(time.Second)
		if a := fresh(); !a.CanText() || asked() != 2 {
			t.Errorf("stale: %+v, asked %d times", a, asked())
		}
		if _, err := w.Fresh(ctx, "t_9", "77", time.Minute); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("nobody's account: %v", err)
		}
	})
}

func TestConcurrentFreshCallsShareOneRequest(t *testing.T) {
	w := newWorld(t, modeltest.SQLite(t, seed.Migrate))
	w.sync()
	w.clock.Add(time.Hour)
	arrived, answer := make(chan struct{}), make(chan struct{})
	w.on(func(*http.Request) { w.on(nil); close(arrived); <-answer })
	ask := func(ctx context.Context) error { _, err := w.Fresh(ctx, "t_9", sandbox.BenID, time.Minute); return err }
	impatient, cancel := context.WithCancel(ctx)
	gaveUp := make(chan error)
	go func() { gaveUp <- ask(impatient) }()
	<-arrived
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if err := ask(ctx); err != nil {
				t.Errorf("one of the others: %v", err)
			}
		})
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("the impatient one: %v", err)
	}
	close(answer)
	group.Wait()
	if n := w.requests("/api/v2/users/" + sandbox.BenID); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestOutageIsReturnedAsUnreachable(t *testing.T) {
	w := newWorld(t, modeltest.SQLite(t, seed.Migrate))
	w.sync()
	rests := w.RecordBackoffs()
	w.sandbox.Fault(sandbox.Fault{Kind: sandbox.TooManyRequests, Path: "/api/v2/users", Times: 2, RetryAfter: 7 * time.Second})
	w.clock.Add(time.Hour)
	if a, err := w.Fresh(ctx, "t_9", sandbox.BenID, time.Minute); err != nil || !a.CanText() {
		t.Errorf("two refusals for rate: %v", err)
	}
	if diff := cmp.Diff([]time.Duration{7 * time.Second, 7 * time.Second}, rests()); diff != "" {
		t.Error(diff)
	}
	w.sandbox.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting, Path: "/api/v2/users"})
	w.clock.Add(time.Hour)
	var r *eligibility.Refusal
	if _, err := w.Fresh(ctx, "t_9", sandbox.BenID, time.Minute); !errors.As(err, &r) || r.Code != "dialpad_unreachable" {
		t.Errorf("Fresh: %v", err)
	}
	if _, err := w.SyncDirectory(ctx, "t_9"); !errors.As(err, &r) || r.Code != "dialpad_unreachable" {
		t.Errorf("SyncDirectory: %v", err)
	}
	if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.State != models.Connected || !w.account(sandbox.BenID).CanText() {
		t.Errorf("an outage changed something: %v", err)
	}
}

func TestRevokedGrantBreaksTheConnection(t *testing.T) {
	w := newWorld(t, modeltest.SQLite(t, seed.Migrate))
	w.sandbox.RevokeTokens(sandbox.AcmeID)
	var r *eligibility.Refusal
	if _, err := w.SyncDirectory(ctx, "t_9"); !errors.As(err, &r) || r.Code != "not_connected" {
		t.Errorf("got %v", err)
	}
	if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.State != models.Broken {
		t.Errorf("connection is %s, %v", c.State, err)
	}
}

// changed stores a change-log event about users, which marks them stale, and
// reads them.
func (w *world) changed(ids ...string) (later bool) {
	w.t.Helper()
	must(w.t, w.db.Accounts.MarkStale(ctx, "t_9", ids))
	w.clock.Add(time.Second)
	later, err := w.ReadChanged(ctx, "t_9", ids)
	must(w.t, err)
	return later
}

func TestReadChangedStoresEachChangeWithAnAuditEntry(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		for _, step := range []struct {
			what   string
			change func() bool
			words  string
			audit  map[string]string
		}{
			{"suspended", func() bool { return w.sandbox.SuspendUser(sandbox.BenID) }, "The Dialpad account is suspended",
				map[string]string{"state_before": "active", "state": "suspended"}},
			{"restored", func() bool { return w.sandbox.RestoreUser(sandbox.BenID) }, "", map[string]string{"state_before": "suspended", "state": "active"}},
			{"number gone", func() bool { return w.sandbox.RemoveNumber(sandbox.BenID) }, "The Dialpad account has no phone number", map[string]string{"number": "removed"}},
			{"another number", func() bool { return w.sandbox.SetNumber(sandbox.BenID, "+14155550109") }, "", map[string]string{"number": "added"}},
			{"deleted, without e-mails and numbers", func() bool { return w.sandbox.DeleteUser(sandbox.BenID) }, "The Dialpad account was deleted",
				map[string]string{"state_before": "active", "state": "deleted", "number": "removed"}},
			{"restored from deleted", func() bool { return w.sandbox.RestoreUser(sandbox.BenID) }, "",
				map[string]string{"state_before": "deleted", "state": "active", "number": "added"}},
		} {
			t.Run(step.what, func(t *testing.T) {
				before := len(w.changes())
				w.clock.Add(time.Second)
				step.change()
				if later := w.changed(sandbox.BenID); later {
					t.Error("left for later")
				}
				a, err := w.db.Accounts.ByEmail(ctx, "t_9", "ben@acme.com")
				if err != nil || a.DialpadID != sandbox.BenID || a.Stale || models.AccountProblem(a.State, a.Number) != step.words {
					t.Errorf("account %+v, %v", a, err)
				}
				all := w.changes()
				step.audit["dialpad_id"] = sandbox.BenID
				if len(all) != before+1 {
					t.Fatalf("%d entries in the audit, %d before", len(all), before)
				}
				if diff := cmp.Diff(step.audit, all[0]); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

func TestReadChangedStoresANewUser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		id := w.sandbox.AddUser(sandbox.User{CompanyID: sandbox.AcmeID, Emails: []string{"fay@acme.com"}, Numbers: []string{"+14155550109"}})
		w.changed(id, "6422934115149452", sandbox.GilID) // an office's id, another company's user
		if a, err := w.db.Accounts.ByEmail(ctx, "t_9", "fay@acme.com"); err != nil || !a.CanText() {
			t.Errorf("%+v %v", a, err)
		}
		for _, other := range []string{"6422934115149452", sandbox.GilID} {
			if _, err := w.db.Accounts.Get(ctx, "t_9", other); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("%s became an account: %v", other, err)
			}
		}
	})
}

func TestManyChangesAreReadWithTheDirectory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.DisableRateLimits()
		ids := w.sandbox.SeedUsers(sandbox.AcmeID, 250)
		w.sync()
		for _, id := range ids[:150] {
			w.sandbox.SuspendUser(id)
		}
		must(t, w.db.Accounts.MarkStale(ctx, "t_9", ids[:150]))
		w.clock.Add(time.Second)
		before := len(w.sandbox.Requests())
		if later, err := w.ReadChanged(ctx, "t_9", ids[:1]); err != nil || !later {
			t.Errorf("one of 150 events: later %v, %v", later, err)
		}
		got, err := w.ReadStale(ctx, "t_9")
		if err != nil || got.Changed != 150 {
			t.Errorf("counts %+v, %v", got, err)
		}
		if n := len(w.sandbox.Requests()) - before; n != 3 {
			t.Errorf("%d requests", n)
		}
		if n, err := w.db.Accounts.CountStale(ctx, "t_9"); err != nil || n != 0 {
			t.Errorf("%d still stale, %v", n, err)
		}
	})
}
