package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dialpad-texting/internal/demotest"
	"dialpad-texting/models/ledger"
)

func TestScheduledTextsGoOutOnceWhenTheirTimePassesWhileEverythingIsDown(t *testing.T) {
	t.Parallel()
	deployOnEachDatabase(t, func(d *deployment) {
		one, bulk := d.Popup("42", demotest.Bob()), d.Popup("42", fourContacts())
		prepared := []string{d.schedule(one, "One, prepared", nil), d.schedule(bulk, "Many, prepared", nil)}
		waiting := []string{d.schedule(one, "One, waiting", nil), d.schedule(bulk, "Many, waiting", nil)}

		d.kill()
		d.reschedule(time.Now().Add(110*time.Second).Truncate(time.Millisecond), prepared...) // within the two minutes in which it is prepared
		d.start()
		texts := 0.0
		for i, p := range []*demotest.Page{one, bulk} {
			d.Until("prepared ahead", func() bool { return p.Get(prepared[i]).Text("batch.state") == ledger.BatchSending })
			texts += 2 * p.Get(prepared[i]).At("batch.counts.queued").(float64)
		}
		d.kill()
		d.wantTexts(0)
		past := time.Now().Add(-time.Second)
		d.makeDue(past, prepared...)
		d.reschedule(past.Truncate(time.Minute), waiting...)

		d.start()
		for i, p := range []*demotest.Page{one, bulk, one, bulk} {
			d.waitDelivered(p, append(prepared, waiting...)[i])
		}
		d.wantTexts(int(texts))
		d.kill() // a restart afterwards sends none of them again
		d.start()
		popup := d.Popup("42", demotest.Bob())
		_, next := popup.CreateBatch("next", map[string]any{"message": "Next"})
		d.waitDelivered(popup, next)
		d.wantTexts(int(texts) + 1)
	})
}

func TestTextsThatAreLateAfterADowntimeFollowTheirLateRule(t *testing.T) {
	t.Parallel()
	deployOnEachDatabase(t, func(d *deployment) {
		p := d.Popup("42", demotest.Bob())
		held := d.schedule(p, "Held by default", nil)
		heldSoon := d.schedule(p, "Held soon", map[string]any{"after_minutes": 5, "do": "hold"})
		dropped := d.schedule(p, "Dropped", map[string]any{"after_minutes": 60, "do": "drop"})
		sent := d.schedule(p, "Sent anyway", map[string]any{"after_minutes": 60, "do": "send"})
		inTime := d.schedule(p, "Not late yet", nil)

		d.kill()
		twoHours, tenMinutes := time.Now().Add(-2*time.Hour).Truncate(time.Minute), time.Now().Add(-10*time.Minute).Truncate(time.Minute)
		d.reschedule(twoHours, held, dropped, sent)
		d.reschedule(tenMinutes, heldSoon, inTime)
		d.start()
		for batch, want := range map[string]struct {
			state string
			at    time.Time
		}{
			held:     {ledger.BatchHeld, twoHours},
			heldSoon: {ledger.BatchHeld, tenMinutes},
			dropped:  {ledger.BatchCancelled, twoHours},
		} {
			d.Until(want.state, func() bool { return p.Get(batch).Text("batch.state") == want.state })
			reason := fmt.Sprintf("The time passed while texts could not be sent (%s, UTC)", wallTime(want.at))
			if b := p.Get(batch); b.Text("batch.reason") != reason {
				d.T.Errorf("%s: %s", want.state, b.Body)
			}
		}
		for _, batch := range []string{sent, inTime} {
			d.waitDelivered(p, batch)
		}
		d.wantTexts(2)
		list := d.Outbox("42").Get("/texts/api/batches?state=held")
		if len(list.At("batches").([]any)) != 2 || !strings.Contains(list.Body, "The time passed while texts could not be sent") {
			d.T.Errorf("the outbox: %s", list.Body)
		}
		for _, batch := range []string{held, heldSoon} {
			if a := p.Post(batch+"/resume", nil); a.Status != http.StatusOK {
				d.T.Errorf("resume: %d %s", a.Status, a.Body)
			}
			d.waitDelivered(p, batch)
		}
		d.wantTexts(4)
	})
}
