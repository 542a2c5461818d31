package market_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/market"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestInstallNeedsThePlanAndCreatesNothingWithoutIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		globex, err := w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: "t_10", Linkname: "globex", Name: "Globex", Plan: "starter", SignedAt: w.clock.Now()})
		must(t, err)
		r, err := w.Install(ctx, globex, "51")
		if err != nil || r == nil || r.Code != "plan_required" || r.Link == nil {
			t.Fatalf("got %v %v", r, err)
		}
		if _, err := w.db.Installations.Get(ctx, "t_10"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("something was created: %v", err)
		}
		again, err := w.Install(ctx, w.tenant, "43")
		if err != nil || again != nil {
			t.Fatalf("twice: %v %v", again, err)
		}
		if i, err := w.db.Installations.Get(ctx, "t_9"); err != nil || i.InstalledBy != "42" || len(w.audits("app.installed")) != 1 {
			t.Errorf("installed by %s, %v", i.InstalledBy, err)
		}
	})
}

func TestDisconnectCleansUpAtDialpadAndForgets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		watch, token := w.sandbox.IssueToken(sandbox.AnaID, "change_log"), w.grant().Access
		foreign, err := w.dp.CreateWebhook(ctx, watch, "https://other.example/dialpad/events/x", "s")
		must(t, err)
		_, err = w.dp.CreateSMSSubscription(ctx, watch, foreign.ID)
		must(t, err)
		waiting, automation := w.batch("b1"), w.batch("b2")
		must(t, w.db.Batches.Update(ctx, "t_9", "b2", []string{ledger.BatchScheduled}, map[string]any{"source": ledger.SourceAutomation, "state": ledger.BatchSending}))
		must(t, w.Disconnect(ctx, "t_9", "42"))
		if w.works(token) {
			t.Error("the token still works")
		}
		want := "hook https://other.example/dialpad/events/x\nsms https://other.example/dialpad/events/x all status=true internal=true"
		if diff := cmp.Diff(want, w.hooks(watch)); diff != "" {
			t.Errorf("at Dialpad (-want +got):\n%s", diff)
		}
		c := w.connection()
		if c.State != models.Disconnected || !c.AccessToken.Empty() || !c.RefreshToken.Empty() || !c.PreviousRefresh.Empty() || !c.HookSecret.Empty() || c.HookPathHash != "" {
			t.Errorf("connection %+v", c)
		}
		if b := waiting(); b.State != ledger.BatchHeld || b.HeldReason != "Dialpad was disconnected" || b.HeldAt == nil {
			t.Errorf("batch is %s: %s", b.State, b.HeldReason)
		}
		if b := automation(); b.State != ledger.BatchSending {
			t.Errorf("the automation's batch is %s: its texts fail one by one", b.State)
		}
		if _, err := w.Token(ctx, "t_9"); !isCode(err, "not_connected") {
			t.Errorf("a token is still given: %v", err)
		}
		must(t, w.Disconnect(ctx, "t_9", "42"))
		if a := w.audits("connection.disconnected"); len(a) != 1 || a[0].UserID != "42" || a[0].Detail["dialpad"] != "cleaned up and revoked" {
			t.Errorf("audit %+v", a)
		}
		if out := w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID)); !out.Done {
			t.Errorf("connecting again: %+v", out)
		}
	})
}

func TestADialpadThatIsDownDoesNotStopADisconnect(t *testing.T) {
	for name, c := range map[string]struct {
		trouble func(w *world)
		words   string
	}{
		"down":    {func(w *world) { w.sandbox.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting}) }, "could not be reached"},
		"revoked": {func(w *world) { w.sandbox.RevokeTokens(sandbox.AcmeID) }, "the grant was not valid any more"},
		"expired": {func(w *world) { w.clock.Add(2 * time.Hour) }, "cleaned up and revoked"},
		"broken":  {func(w *world) { must(w.t, w.Broken(ctx, "t_9", 0, "It broke.")) }, "cleaned up and revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSQLite(t)
			w.connected()
			c.trouble(w)
			must(t, w.Disconnect(ctx, "t_9", "42"))
			if got := w.connection(); got.State != models.Disconnected || !got.AccessToken.Empty() {
				t.Errorf("connection %+v", got)
			}
			if a := w.audits("connection.disconnected"); len(a) != 1 || !strings.Contains(a[0].Detail["dialpad"], c.words) {
				t.Errorf("audit %+v, want %q", a, c.words)
			}
		})
	}
}

func TestRemoveCancelsWhatWaits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		waiting, held := w.batch("b1"), w.batch("b2")
		must(t, w.db.Batches.Update(ctx, "t_9", "b2", []string{ledger.BatchScheduled}, map[string]any{"state": ledger.BatchHeld}))
		must(t, w.Remove(ctx, "t_9", "42"))
		for _, b := range []ledger.Batch{waiting(), held()} {
			if b.State != ledger.BatchCancelled || b.HeldReason != "The Dialpad app was removed" || b.FinishedAt == nil {
				t.Errorf("batch is %s: %s", b.State, b.HeldReason)
			}
		}
		if r, err := w.TenantMay(ctx, "t_9"); err != nil || r == nil || r.Code != "not_installed" {
			t.Errorf("may text: %v %v", r, err)
		}
		must(t, w.Remove(ctx, "t_9", "42"))
		if a := w.audits("app.removed"); len(a) != 1 {
			t.Errorf("audit %+v", a)
		}
	})
}

func TestRemoveWithoutAConnection(t *testing.T) {
	w := newSQLite(t)
	must(t, w.Remove(ctx, "t_9", "42"))
	if i, err := w.db.Installations.Get(ctx, "t_9"); err != nil || i.State != models.Uninstalled || len(w.audits("app.removed")) != 1 {
		t.Errorf("installation %+v %v", i, err)
	}
}

func TestSubscribingTwiceMakesOneWebhook(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		path, _, err := w.db.Connections.OpenHook(w.connection())
		must(t, err)
		address := public + "/dialpad/events/" + path
		want := "hook " + address + "\nsms " + address + " all status=true internal=true\nchanges " + address
		if diff := cmp.Diff(want, w.hooks(w.grant().Access)); diff != "" {
			t.Fatal(diff)
		}
		first := w.connection()
		subs, err := w.Subscribe(ctx, "t_9")
		must(t, err)
		if subs.WebhookID != first.WebhookID || subs.SMS != first.SMSSubscription || subs.ChangeLog != first.ChangeSubscription || subs.Note != "" {
			t.Errorf("again: %+v", subs)
		}
		if diff := cmp.Diff(want, w.hooks(w.grant().Access)); diff != "" {
			t.Error(diff)
		}
		must(t, w.dp.DeleteSMSSubscription(ctx, w.grant().Access, subs.SMS))
		must(t, w.Check(ctx, "t_9"))
		if diff := cmp.Diff(want, w.hooks(w.grant().Access)); diff != "" {
			t.Errorf("after somebody deleted it:\n%s", diff)
		}
	})
}

func TestSubscribingClearsOurOldOnesAwayAndNobodyElses(t *testing.T) {
	w := newSQLite(t)
	w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
	token := w.grant().Access
	path, secret, err := w.db.Connections.OpenHook(w.connection())
	must(t, err)
	for _, address := range []string{public + "/dialpad/events/old", public + "/dialpad/events/" + path, public + "/dialpad/events/" + path,
		"https://other.example/dialpad/events/" + path} {
		hook, err := w.dp.CreateWebhook(ctx, token, address, secret)
		must(t, err)
		_, err = w.dp.CreateSMSSubscription(ctx, token, hook.ID)
		must(t, err)
	}
	_, err = w.Subscribe(ctx, "t_9")
	must(t, err)
	ours, other := public+"/dialpad/events/"+path, "https://other.example/dialpad/events/"+path
	want := "hook " + ours + "\nhook " + other + "\nsms " + ours + " all status=true internal=true\nsms " + other +
		" all status=true internal=true\nchanges " + ours
	if diff := cmp.Diff(want, w.hooks(token)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatDialpadRefusesIsTold(t *testing.T) {
	t.Run("change log", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.connected()
			c := w.connection()
			if c.ChangeSubscription != "" || c.SMSSubscription == "" || !c.Ready ||
				c.SubscriptionsNote != "Dialpad refused the change log: The scope change_log is required." {
				t.Errorf("connection %+v", c)
			}
		}, func(_ *sandbox.Options, c *dialpad.Config) { c.Scopes = []string{"offline_access"} })
	})
	t.Run("quota", func(t *testing.T) {
		w := newSQLite(t)
		token := w.sandbox.IssueToken(sandbox.AnaID)
		hook, err := w.dp.CreateWebhook(ctx, token, "https://other.example/", "s")
		must(t, err)
		for range 10 {
			_, err := w.dp.CreateSMSSubscription(ctx, token, hook.ID)
			must(t, err)
		}
		w.connected()
		if c := w.connection(); c.SMSSubscription != "" || c.ChangeSubscription == "" || !c.Ready ||
			!strings.Contains(c.SubscriptionsNote, "Dialpad refused texts: This company has 10") {
			t.Errorf("connection %+v", c)
		}
	})
	t.Run("not now", func(t *testing.T) {
		w := newSQLite(t)
		w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
		w.sandbox.Fault(sandbox.Fault{Kind: sandbox.ErrorAfterAccepting, Path: "/api/v2/subscriptions/sms", Times: 2, Every: 2})
		if _, err := w.Subscribe(ctx, "t_9"); !market.Outage(err) {
			t.Fatalf("got %v", err)
		}
		w.sandbox.ClearFaults()
		_, err := w.Subscribe(ctx, "t_9")
		must(t, err)
		if got := strings.Count(w.hooks(w.grant().Access), "\n") + 1; got != 3 {
			t.Errorf("%d hooks and subscriptions:\n%s", got, w.hooks(w.grant().Access))
		}
	})
}

func TestCheckBreaksAndMends(t *testing.T) {
	for name, c := range map[string]struct {
		harm, heal func(w *world)
		words      string
	}{
		"switched off": {func(w *world) { w.sandbox.DisableApp(sandbox.AcmeID) }, func(w *world) { w.sandbox.EnableApp(sandbox.AcmeID) },
			"switched off for Acme Inc in Dialpad"},
		"company suspended": {func(w *world) { w.sandbox.SetCompanyState(sandbox.AcmeID, "suspended") },
			func(w *world) { w.sandbox.SetCompanyState(sandbox.AcmeID, "active") }, "the company Acme Inc is suspended"},
		"no admin any more": {func(w *world) { w.sandbox.Fault(sandbox.Fault{Kind: sandbox.Forbidden, Path: "/api/v2/company"}) },
			func(w *world) { w.sandbox.ClearFaults() }, "ana@acme.com is no longer a company admin"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSQLite(t)
			w.connected()
			must(t, w.Check(ctx, "t_9"))
			if w.connection().LastCheckedAt == nil {
				t.Error("the check is not noted")
			}
			batch := w.batch("b1")
			c.harm(w)
			must(t, w.Check(ctx, "t_9"))
			got := w.connection()
			if got.State != models.Broken || !strings.Contains(got.Reason, c.words) || batch().State != ledger.BatchHeld {
				t.Fatalf("connection is %s: %s", got.State, got.Reason)
			}
			must(t, w.Check(ctx, "t_9"))
			c.heal(w)
			must(t, w.Check(ctx, "t_9"))
			if got := w.connection(); got.State != models.Connected || got.Reason != "" {
				t.Errorf("connection is %s: %s", got.State, got.Reason)
			}
			if b := batch(); b.State != ledger.BatchScheduled || b.HeldReason != "" || b.HeldAt != nil || w.jobs("sync_directory") != 1 {
				t.Errorf("what was held did not go on: %+v", b)
			}
			if len(w.audits("connection.broken")) != 1 || len(w.audits("connection.mended")) != 1 {
				t.Error("not in the audit, once each")
			}
		})
	}
}

func TestACheckDuringAnOutageChangesNothing(t *testing.T) {
	w := newSQLite(t)
	w.connected()
	w.sandbox.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting})
	if err := w.Check(ctx, "t_9"); !isCode(err, "dialpad_unreachable") {
		t.Errorf("got %v", err)
	}
	if c := w.connection(); c.State != models.Connected {
		t.Errorf("connection is %s", c.State)
	}
	w.sandbox.ClearFaults()
	must(t, w.Disconnect(ctx, "t_9", "42"))
	must(t, w.Check(ctx, "t_9"))
}

func TestA401SaysWhetherTheAppWasSwitchedOff(t *testing.T) {
	w := newSQLite(t)
	w.connected()
	w.sandbox.DisableApp(sandbox.AcmeID)
	err := w.Do(ctx, "t_9", func(token string) error { _, err := w.dp.Me(ctx, token); return err })
	if c := w.connection(); !isCode(err, "not_connected") || !strings.Contains(c.Reason, "switched off for Acme Inc") {
		t.Errorf("%v; connection is %s: %s", err, c.State, c.Reason)
	}
	if n := w.requests(http.MethodGet, "/api/v2/app/settings"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}
