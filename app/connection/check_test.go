package connection_test

import (
	"net/http"
	"strings"
	"testing"

	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestCheckBreaksAndRepairs(t *testing.T) {
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
			batch := w.db.ScheduledBatch("t_9", "b1")
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
			if b := batch(); b.State != ledger.BatchScheduled || b.HeldReason != "" || b.HeldAt != nil || w.db.CountJobs("sync_directory") != 1 {
				t.Errorf("what was held did not go on: %+v", b)
			}
			if len(w.db.AuditsOf("t_9", "connection.broken")) != 1 || len(w.db.AuditsOf("t_9", "connection.mended")) != 1 {
				t.Error("not in the audit, once each")
			}
		})
	}
}

func TestCheckDuringAnOutageChangesNothing(t *testing.T) {
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

func TestSecond401GivesSwitchedOffAsTheReason(t *testing.T) {
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
