package connection_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestDisconnectCleansUpAtDialpadAndForgetsTheGrant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		watch, token := w.sandbox.IssueToken(sandbox.AnaID, "change_log"), w.grant().Access
		foreign, err := w.dp.CreateWebhook(ctx, watch, "https://other.example/dialpad/events/x", "s")
		must(t, err)
		_, err = w.dp.CreateSMSSubscription(ctx, watch, foreign.ID)
		must(t, err)
		waiting, automation := w.db.ScheduledBatch("t_9", "b1"), w.db.ScheduledBatch("t_9", "b2")
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
		if a := w.db.AuditsOf("t_9", "connection.disconnected"); len(a) != 1 || a[0].UserID != "42" || a[0].Detail["dialpad"] != "cleaned up and revoked" {
			t.Errorf("audit %+v", a)
		}
		if out := w.connect(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID)); !out.Done {
			t.Errorf("connecting again: %+v", out)
		}
	})
}

func TestDisconnectWorksDuringAnOutage(t *testing.T) {
	for name, c := range map[string]struct {
		trouble func(w *world)
		words   string
	}{
		"down":    {func(w *world) { w.sandbox.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting}) }, "could not be reached"},
		"revoked": {func(w *world) { w.sandbox.RevokeTokens(sandbox.AcmeID) }, "the grant was not valid any more"},
		"expired": {func(w *world) { w.clock.Add(2 * time.Hour) }, "cleaned up and revoked"},
		"broken":  {func(w *world) { must(w.t, w.Break(ctx, "t_9", 0, "It broke.")) }, "cleaned up and revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSQLite(t)
			w.connected()
			c.trouble(w)
			must(t, w.Disconnect(ctx, "t_9", "42"))
			if got := w.connection(); got.State != models.Disconnected || !got.AccessToken.Empty() {
				t.Errorf("connection %+v", got)
			}
			if a := w.db.AuditsOf("t_9", "connection.disconnected"); len(a) != 1 || !strings.Contains(a[0].Detail["dialpad"], c.words) {
				t.Errorf("audit %+v, want %q", a, c.words)
			}
		})
	}
}
