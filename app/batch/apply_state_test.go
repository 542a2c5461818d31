package batch_test

import (
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

// reconnect connects Acme to a Dialpad company of its choice, ready to
// text.
func reconnect(w *World, to string) {
	w.T.Helper()
	Must(w.T, w.DB.Connections.Disconnect(Ctx, "t_9"))
	w.Tenant.Connected(to).Account("1", "ana@acme.com", "+14155550100")
	if to != Company {
		w.Lane = ledger.Lane{} // another one
	}
}

func TestApplyStateRequeuesInTheConnectedCompanysLane(t *testing.T) {
	for _, to := range []string{Company, "4508591728425999"} {
		t.Run(to, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "1", "2", "7", "20"), "k1", Text("Hi"))
				onWire := w.Claim()[:1]
				n := v.Counts.Queued
				_, err := w.DB.Batches.Hold(Ctx, "t_9", "", ledger.HeldDisconnected, "Dialpad was disconnected")
				Must(t, err)
				w.MustApplyState(v.ID)
				due := w.Clock.Now() // taken back from the wire after the rest was held
				_, err = w.DB.Settle(Ctx, []ledger.Outcome{{ID: onWire[0].ID, Attempt: 1, State: ledger.Waiting, DueAt: &due}})
				Must(t, err)
				reconnect(w, to)
				if _, err := w.Resume(Ctx, w.Page("ana"), v.ID); err != nil {
					t.Fatal(err)
				}
				w.MustApplyState(v.ID)
				w.Clock.Add(time.Second)
				got := w.Claim()
				if len(got) != 1 || w.MustView(v.ID).Counts.Sending != n {
					t.Errorf("%d went, %+v", len(got), w.MustView(v.ID).Counts)
				}
				for _, c := range got {
					if c.CompanyID != to || !c.SenderMatches {
						t.Errorf("through %s: %+v", w.Lane.ID, c)
					}
				}
			})
		})
	}
}
