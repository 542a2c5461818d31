package texting_test

import (
	"fmt"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/models/ledger"
)

// reconnect connects Acme to a Dialpad company of its choice, ready to text.
func (w *world) reconnect(to string) {
	w.t.Helper()
	must(w.t, w.db.Connections.Disconnect(ctx, "t_9"))
	w.acme.Connected(to).Account("1", "ana@acme.com", "+14155550100")
	if to != company {
		w.lane = ledger.Lane{} // another one
	}
}

func TestTextsGoOnThroughTheCompanyThatIsConnectedNow(t *testing.T) {
	for _, to := range []string{company, "4508591728425999"} {
		t.Run(to, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				v := w.prepared(w.bulk("ana", crm.ModuleContact, "1", "2", "7", "20"), "k1", says("Hi"))
				onWire := w.claim()[:1]
				n := v.Counts.Queued
				_, err := w.db.Batches.Hold(ctx, "t_9", "", ledger.HeldDisconnected, "Dialpad was disconnected")
				must(t, err)
				w.carry(v.ID)
				due := w.clock.Now() // taken back from the wire after the rest was held
				_, err = w.db.Settle(ctx, []ledger.Outcome{{ID: onWire[0].ID, Attempt: 1, State: ledger.Waiting, DueAt: &due}})
				must(t, err)
				w.reconnect(to)
				if _, err := w.Resume(ctx, w.page("ana"), v.ID); err != nil {
					t.Fatal(err)
				}
				w.carry(v.ID)
				w.clock.Add(time.Second)
				got := w.claim()
				if len(got) != 1 || w.view(v.ID).Counts.Sending != n {
					t.Errorf("%d went, %+v", len(got), w.view(v.ID).Counts)
				}
				for _, c := range got {
					if c.CompanyID != to || !c.SenderMatches {
						t.Errorf("through %s: %+v", w.lane.ID, c)
					}
				}
			})
		})
	}
}

func TestABulkWhoseTenantMayNotTextAnyMoreIsHeldWithWhatItHas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.Seed(940, 0)
		v := w.create(w.all("ana", crm.ModuleContact, ""), "k1", says("Hi"))
		pages := 0
		w.crm.before = func() error {
			if pages++; pages == 2 {
				w.clock.Add(time.Second)
				w.plan("starter")
			}
			return nil
		}
		_, err := w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if b := w.row(v.ID); b.State != ledger.BatchHeld || b.HeldCode != ledger.HeldPlan || w.jobs("move_batch") == 0 {
			t.Errorf("%s, %s", b.State, b.HeldCode)
		}
		w.carry(v.ID)
		if now := w.view(v.ID); now.Counts.Queued != 0 || now.Counts.Held < 900 || len(w.claim()) != 0 {
			t.Errorf("%+v", now.Counts)
		}
	})
}

func TestRecordsThatTheCRMKeepsRefusingHoldTheBatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.bulk("ana", crm.ModuleContact, "7", "20"), "k1", says("Hi"))
		w.host.Break(crmsandbox.Fault{Type: "records.resolve", Kind: crmsandbox.FaultRefuse})
		if _, err := w.Prepare(ctx, "t_9", v.ID); err == nil {
			t.Fatal("prepared")
		}
		if now := w.view(v.ID); now.State != ledger.BatchPreparing || now.Reason == nil {
			t.Errorf("at first %s, %v", now.State, now.Reason)
		}
		w.clock.Add(61 * time.Minute)
		_, err := w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if now := w.view(v.ID); now.State != ledger.BatchHeld || now.Reason == nil || *now.Reason != "Salesmate does not give these records" || now.Counts.Held != 2 {
			t.Errorf("after an hour %s, %v, %+v", now.State, fmt.Sprint(now.Reason), now.Counts)
		}
		w.host.Mend()
		_, err = w.Resume(ctx, w.page("ana"), v.ID)
		must(t, err)
		_, err = w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if now := w.view(v.ID); now.State != ledger.BatchSending || now.Counts.Queued != 2 || now.Reason != nil {
			t.Errorf("resumed %s, %v, %+v", now.State, now.Reason, now.Counts)
		}
	})
}
