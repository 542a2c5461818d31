package connection_test

import (
	"testing"
	"time"

	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
)

// What was lost between the question and its answer is looked at again.
func TestObstacleBetweenQuestionAndAnswerStopsTheConnect(t *testing.T) {
	for name, c := range map[string]struct {
		code, words string
		trouble     func(w *world)
	}{
		"plan lost": {"plan_required", "plan does not include Dialpad any more", func(w *world) {
			_, err := w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "starter", SignedAt: w.clock.Now().Add(time.Minute)})
			must(w.t, err)
		}},
		"removed":           {"not_installed", "was removed meanwhile", func(w *world) { must(w.t, w.db.Installations.Uninstall(ctx, "t_9")) }},
		"admin demoted":     {"admin_required", "Only an admin of your Salesmate account", func(w *world) { w.demote() }},
		"admin deactivated": {"cancelled", "deactivated", func(w *world) { must(w.t, w.db.Users.Deactivate(ctx, "t_9", "42")) }},
		"company taken": {"company_taken", "is connected to another account already", func(w *world) {
			other, session := w.newTenant("t_10", "globex", "Globex", "51", "ana@acme.com")
			if out := w.connect(w.consent(other, session, "b2", sandbox.AnaID)); !out.Done {
				w.t.Fatalf("the other one: %+v", out)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				asked := w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
				if asked.Confirm == nil {
					t.Fatalf("not asked: %+v", asked)
				}
				c.trouble(w)
				out, err := w.Confirm(ctx, asked.Confirm.State, "browser")
				must(t, err)
				w.stopped(out, c.code, c.words)
				w.finishAttempt()
				if name == "company taken" {
					w.notCutOff("t_10")
				}
			})
		})
	}
}

// Also who reconnects is asked, and nothing changes until then.
func TestReconnectIsConfirmedToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		before := w.connection()
		out := w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
		if out.Confirm == nil || out.Confirm.Replaces != "" || out.Confirm.OtherEmail {
			t.Fatalf("asked %+v", out)
		}
		if c := w.connection(); c.TokenVersion != before.TokenVersion {
			t.Error("the grant was stored before it was confirmed")
		}
		if done, err := w.Confirm(ctx, out.Confirm.State, "browser"); err != nil || !done.Done {
			t.Errorf("%+v, %v", done, err)
		}
	})
}
