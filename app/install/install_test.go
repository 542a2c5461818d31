package install_test

import (
	"errors"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestInstallNeedsThePlan(t *testing.T) {
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
		if i, err := w.db.Installations.Get(ctx, "t_9"); err != nil || i.InstalledBy != "42" || len(w.db.AuditsOf("t_9", "app.installed")) != 1 {
			t.Errorf("installed by %s, %v", i.InstalledBy, err)
		}
	})
}

func TestRemoveDisconnectsAndCancelsOpenBatches(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		waiting, held := w.db.ScheduledBatch("t_9", "b1"), w.db.ScheduledBatch("t_9", "b2")
		must(t, w.db.Batches.Update(ctx, "t_9", "b2", []string{ledger.BatchScheduled}, map[string]any{"state": ledger.BatchHeld}))
		must(t, w.Remove(ctx, "t_9", "42"))
		for _, b := range []ledger.Batch{waiting(), held()} {
			if b.State != ledger.BatchCancelled || b.HeldReason != "The Dialpad app was removed" || b.FinishedAt == nil {
				t.Errorf("batch is %s: %s", b.State, b.HeldReason)
			}
		}
		if r, err := w.eligible.CheckTenant(ctx, "t_9"); err != nil || r == nil || r.Code != "not_installed" {
			t.Errorf("may text: %v %v", r, err)
		}
		must(t, w.Remove(ctx, "t_9", "42"))
		if a := w.db.AuditsOf("t_9", "app.removed"); len(a) != 1 {
			t.Errorf("audit %+v", a)
		}
	})
}

func TestRemoveEndsTheSessionsOfTheTenant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		session := func(tenantID, userID, kind string) string {
			token, err := w.db.Sessions.Create(ctx, models.Session{Kind: kind, TenantID: tenantID, UserID: userID, ExpiresAt: w.clock.Now().Add(time.Hour)})
			must(t, err)
			return token
		}
		w.db.Tenant("t_10")
		asking, other := session("t_9", "42", models.SessionPage), session("t_10", "42", models.SessionPage)
		ended := []string{session("t_9", "42", models.SessionCookie), session("t_9", "42", models.SessionPopup), session("t_9", "43", models.SessionPage)}
		must(t, w.Remove(ctx, "t_9", "42", models.Hash(asking)))
		alive := func(token string) bool {
			_, err := w.db.Sessions.IdleByTokenAllTenants(ctx, token, models.SessionPage, models.SessionPopup, models.SessionCookie)
			return err == nil
		}
		if !alive(asking) || !alive(other) {
			t.Errorf("the asking page %t, another tenant's %t", alive(asking), alive(other))
		}
		for _, token := range ended {
			if alive(token) {
				t.Error("a session goes on after the removal")
			}
		}
		must(t, w.Remove(ctx, "t_9", "42"))
		if alive(asking) || !alive(other) {
			t.Errorf("removed by the CRM: the page %t, another tenant's %t", alive(asking), alive(other))
		}
	})
}

func TestRemoveWithoutAConnection(t *testing.T) {
	w := newSQLite(t)
	must(t, w.Remove(ctx, "t_9", "42"))
	if i, err := w.db.Installations.Get(ctx, "t_9"); err != nil || i.State != models.Uninstalled || len(w.db.AuditsOf("t_9", "app.removed")) != 1 {
		t.Errorf("installation %+v %v", i, err)
	}
}
