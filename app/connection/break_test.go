package connection_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/connection"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// in stores a batch in a state, with further fields set.
func (w *world) in(id, state string, set map[string]any) func() ledger.Batch {
	w.t.Helper()
	read := w.db.ScheduledBatch("t_9", id)
	if set == nil {
		set = map[string]any{}
	}
	set["state"] = state
	must(w.t, w.db.Batches.Update(ctx, "t_9", id, []string{ledger.BatchScheduled}, set))
	return read
}

func expect(t *testing.T, when string, b ledger.Batch, state, code string) {
	t.Helper()
	if b.State != state || b.HeldCode != code || (code == "") != (b.HeldReason == "" || state != ledger.BatchHeld) || (b.HeldAt != nil) != (state == ledger.BatchHeld) {
		t.Errorf("%s: batch %s is %s, held for %q: %s", when, b.ID, b.State, b.HeldCode, b.HeldReason)
	}
}

// breakAndRepair returns what breaks the connection and the ways to repair it.
func breakAndRepair(w *world) (harm func(), repair map[string]func()) {
	return func() {
			w.sandbox.SuspendUser(sandbox.AnaID)
			_ = w.Do(ctx, "t_9", func(token string) error { _, err := w.dp.Me(ctx, token); return err })
			if c := w.connection(); c.State != models.Broken {
				w.t.Fatalf("connection is %s", c.State)
			}
		}, map[string]func(){
			"by Check": func() {
				w.sandbox.RestoreUser(sandbox.AnaID)
				must(w.t, w.Check(ctx, "t_9"))
			},
			"by reconnecting": func() {
				w.sandbox.RestoreUser(sandbox.AnaID)
				w.connected()
			},
		}
}

func TestBatchesHeldByABrokenConnectionResume(t *testing.T) {
	for _, how := range []string{"by Check", "by reconnecting"} {
		t.Run(how, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.connected()
				harm, repair := breakAndRepair(w)
				begun := map[string]any{"started_at": w.clock.Now()}
				batches := map[string]func() ledger.Batch{
					ledger.BatchScheduled: w.db.ScheduledBatch("t_9", "scheduled"),
					ledger.BatchPreparing: w.in("preparing", ledger.BatchPreparing, begun),
					ledger.BatchSending:   w.in("sending", ledger.BatchSending, map[string]any{"started_at": w.clock.Now(), "prepared": true}),
					ledger.BatchPaused:    w.in("paused", ledger.BatchPaused, map[string]any{"prepared": true, "held_reason": "Paused by Ana"}),
				}
				harm()
				for state, b := range batches {
					if state == ledger.BatchPaused {
						expect(t, "broken", b(), ledger.BatchPaused, "")
						continue
					}
					expect(t, "broken", b(), ledger.BatchHeld, ledger.HeldBroken)
				}
				if n := w.db.CountJobs("move_batch"); n != 3 {
					t.Errorf("%d jobs hold their messages", n)
				}
				repair[how]()
				for state, b := range batches {
					expect(t, "repaired", b(), state, "")
				}
				if n := w.db.CountJobs("prepare_batch"); n != 1 {
					t.Errorf("%d jobs prepare", n)
				}
				action := map[string]string{"by Check": "connection.mended", "by reconnecting": "connection.ready"}[how]
				if a := w.db.AuditsOf("t_9", action); len(a) == 0 || !slices.ContainsFunc(a, func(a models.Audit) bool { return a.Detail["batches_resumed"] == "3" }) {
					t.Errorf("audit %+v", a)
				}
			})
		})
	}
}

func TestBatchesHeldByADecisionDoNotResume(t *testing.T) {
	for code, decide := range map[string]func(w *world){
		ledger.HeldDisconnected: func(w *world) { must(w.t, w.Disconnect(ctx, "t_9", "42")) },
		ledger.HeldPlan: func(w *world) {
			_, err := w.db.Batches.Hold(ctx, "t_9", "", ledger.HeldPlan, "Your plan no longer includes Dialpad")
			must(w.t, err)
		},
		ledger.HeldUser: func(w *world) {
			_, err := w.db.Batches.Hold(ctx, "t_9", "42", ledger.HeldUser, "The person was deactivated")
			must(w.t, err)
		},
	} {
		t.Run(code, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.connected()
				harm, _ := breakAndRepair(w)
				early := w.db.ScheduledBatch("t_9", "early")
				harm()
				expect(t, "broken", early(), ledger.BatchHeld, ledger.HeldBroken)
				since := early().HeldAt
				late := w.db.ScheduledBatch("t_9", "late")
				decide(w)
				expect(t, "decided", early(), ledger.BatchHeld, code)
				expect(t, "decided", late(), ledger.BatchHeld, code)
				if !early().HeldAt.Equal(*since) {
					t.Error("the seven days restart")
				}
				w.sandbox.RestoreUser(sandbox.AnaID)
				must(t, w.Check(ctx, "t_9"))
				w.connected()
				expect(t, "reconnected", early(), ledger.BatchHeld, code)
				expect(t, "reconnected", late(), ledger.BatchHeld, code)
			})
		})
	}
}

func TestBatchesDoNotResumeForAnotherCompany(t *testing.T) {
	for _, first := range []string{"broken", "disconnected"} {
		t.Run(first, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.connected()
				batch := w.db.ScheduledBatch("t_9", "b1")
				if harm, _ := breakAndRepair(w); first == "broken" {
					harm()
				} else {
					must(t, w.Disconnect(ctx, "t_9", "42"))
				}
				q := w.consent(w.tenant, w.admin, "browser", sandbox.GilID)
				if out := w.connect(q); !out.Done {
					t.Fatalf("confirmed: %+v", out)
				}
				w.finish("t_9")
				expect(t, "another company", batch(), ledger.BatchHeld, ledger.HeldOtherCompany)
				if b := batch(); b.HeldReason != connection.OtherCompanyReason {
					t.Errorf("reason %q", b.HeldReason)
				}
			})
		})
	}
}

func TestEachCauseOfABreakHasItsOwnReason(t *testing.T) {
	me := func(w *world) {
		_ = w.Do(ctx, "t_9", func(token string) error { _, err := w.dp.Me(ctx, token); return err })
	}
	check := func(w *world) { must(w.t, w.Check(ctx, "t_9")) }
	knows := func(w *world, state string) {
		_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), []models.Account{{DialpadID: sandbox.AnaID, Emails: []string{"ana@acme.com"}, State: state}})
		must(w.t, err)
	}
	seen := map[string]string{}
	for name, c := range map[string]struct {
		harm  func(w *world)
		found func(w *world)
		words string
	}{
		"grant revoked": {func(w *world) { w.sandbox.RevokeTokens(sandbox.AcmeID) }, me, "no longer accepts the connection. Connect again"},
		"app disabled":  {func(w *world) { w.sandbox.DisableApp(sandbox.AcmeID) }, me, "The app was switched off for Acme Inc"},
		"admin suspended, event before": {func(w *world) {
			knows(w, "active")
			w.clock.Add(time.Second)
			w.sandbox.SuspendUser(sandbox.AnaID)
			must(w.t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.AnaID}))
		}, me, "right after the account of ana@acme.com, who made it, was changed"},
		"admin deleted, known": {func(w *world) { knows(w, "deleted"); w.sandbox.DeleteUser(sandbox.AnaID) }, me,
			"ana@acme.com, who connected Dialpad, is no longer active there (deleted)"},
		"admin demoted": {func(w *world) { w.sandbox.Fault(sandbox.Fault{Kind: sandbox.Forbidden, Path: "/api/v2/company"}) }, check,
			"ana@acme.com is no longer a company admin"},
		"company on hold":   {func(w *world) { w.sandbox.SetCompanyState(sandbox.AcmeID, "on_hold") }, check, "has put the company Acme Inc on hold"},
		"company cancelled": {func(w *world) { w.sandbox.SetCompanyState(sandbox.AcmeID, "cancelled") }, check, "the company Acme Inc is cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSQLite(t)
			w.connected()
			batch := w.db.ScheduledBatch("t_9", "b1")
			c.harm(w)
			c.found(w)
			got := w.connection()
			if got.State != models.Broken || !strings.Contains(got.Reason, c.words) {
				t.Fatalf("connection is %s: %s", got.State, got.Reason)
			}
			if b := batch(); b.HeldReason != got.Reason || b.HeldCode != ledger.HeldBroken {
				t.Errorf("batch is held for %q: %s", b.HeldCode, b.HeldReason)
			}
			if r, err := w.eligible.CheckTenant(ctx, "t_9"); err != nil || r == nil || r.Code != "not_connected" || r.Reason != got.Reason {
				t.Errorf("refusal %+v %v", r, err)
			}
			if other, ok := seen[got.Reason]; ok {
				t.Errorf("the same sentence as %s", other)
			}
			seen[got.Reason] = name
		})
	}
}

func TestUnknownCompanyStateDoesNotBreak(t *testing.T) {
	w := newSQLite(t)
	w.connected()
	w.sandbox.SetCompanyState(sandbox.AcmeID, "thriving")
	must(t, w.Check(ctx, "t_9"))
	if c := w.connection(); c.State != models.Connected {
		t.Errorf("broken: %s", c.Reason)
	}
}

func TestCheckReplacesTheReasonByACloserOne(t *testing.T) {
	w := newSQLite(t)
	w.connected()
	w.sandbox.SetCompanyState(sandbox.AcmeID, "suspended")
	must(t, w.Check(ctx, "t_9"))
	w.sandbox.DisableApp(sandbox.AcmeID)
	must(t, w.Check(ctx, "t_9"))
	if c := w.connection(); !strings.Contains(c.Reason, "switched off") || c.LastCheckedAt == nil {
		t.Errorf("reason: %s, checked %v", c.Reason, c.LastCheckedAt)
	}
	if n := len(w.db.AuditsOf("t_9", "connection.broken")); n != 1 {
		t.Errorf("%d entries in the audit", n)
	}
}

func TestOldWebhookPathWorksUntilTheNewOneIsSubscribed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		path, secret, err := w.db.Connections.OpenHook(w.connection())
		must(t, err)
		reconnect := func() string {
			t.Helper()
			if out := w.connect(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID)); !out.Done {
				t.Fatalf("not connected: %+v", out)
			}
			p, s, err := w.db.Connections.OpenHook(w.connection())
			must(t, err)
			if p == path || s == secret {
				t.Error("path or secret was not rotated")
			}
			return p
		}
		reconnect()
		w.clock.Add(time.Second)
		now := reconnect() // twice, before anything was subscribed: Dialpad still knows the first address
		for _, p := range []string{path, now} {
			c, err := w.db.Connections.ByHookAllTenants(ctx, p)
			must(t, err)
			if _, s, err := w.db.Connections.OpenHook(c); err != nil || (s == secret) != (p == path) {
				t.Errorf("another address's secret: %v", err)
			}
		}
		w.finish("t_9")
		if _, err := w.db.Connections.ByHookAllTenants(ctx, path); err == nil {
			t.Error("the old address is still taken")
		}
		if got := w.hooks(w.grant().Access); strings.Contains(got, path) || strings.Count(got, now) != 3 {
			t.Errorf("at Dialpad:\n%s", got)
		}
	})
}
