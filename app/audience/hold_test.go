package audience_test

import (
	"fmt"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

func TestPrepareHoldsABatchWhoseTenantMayNotText(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.Seed(940, 0)
		v := w.MustCreate(w.Selection("ana", crm.ModuleContact, ""), "k1", Text("Hi"))
		pages := 0
		w.CRM.Before = func() error {
			if pages++; pages == 2 {
				w.Clock.Add(time.Second)
				w.SetPlan("starter")
			}
			return nil
		}
		_, err := w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if b := w.Row(v.ID); b.State != ledger.BatchHeld || b.HeldCode != ledger.HeldPlan || w.CountJobs("move_batch") == 0 {
			t.Errorf("%s, %s", b.State, b.HeldCode)
		}
		w.MustApplyState(v.ID)
		if now := w.MustView(v.ID); now.Counts.Queued != 0 || now.Counts.Held < 900 || len(w.Claim()) != 0 {
			t.Errorf("%+v", now.Counts)
		}
	})
}

func TestPrepareHoldsABatchAfterAnHourOfRefusals(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", Text("Hi"))
		w.Host.Break(crmsandbox.Fault{Type: "records.resolve", Kind: crmsandbox.FaultRefuse})
		if _, err := w.Prepare(Ctx, "t_9", v.ID); err == nil {
			t.Fatal("prepared")
		}
		if now := w.MustView(v.ID); now.State != ledger.BatchPreparing || now.Reason == nil {
			t.Errorf("at first %s, %v", now.State, now.Reason)
		}
		w.Clock.Add(61 * time.Minute)
		_, err := w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if now := w.MustView(v.ID); now.State != ledger.BatchHeld || now.Reason == nil || *now.Reason != "Salesmate refused access to these records" || now.Counts.Held != 2 {
			t.Errorf("after an hour %s, %v, %+v", now.State, fmt.Sprint(now.Reason), now.Counts)
		}
		w.Host.Mend()
		_, err = w.Resume(Ctx, w.Page("ana"), v.ID)
		Must(t, err)
		_, err = w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if now := w.MustView(v.ID); now.State != ledger.BatchSending || now.Counts.Queued != 2 || now.Reason != nil {
			t.Errorf("resumed %s, %v, %+v", now.State, now.Reason, now.Counts)
		}
	})
}
