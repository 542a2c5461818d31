package delivery_test

import (
	"testing"
	"time"

	"dialpad-texting/app/delivery"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/ledger"
)

// Dialpad answers fast, so texts are claimed ahead of the only connection. Then
// it stops answering, and their recheck grows old.
func TestTextThatWaitedForAConnectionIsRequeued(t *testing.T) {
	each(t, func(r *rig) {
		r.acme.Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", 300)
		e, _ := r.run(delivery.Config{Connections: 1})
		r.until("Dialpad's answers are known to be fast", func() bool { return r.counts().Sent >= 3 })
		r.phone.Fault(sandbox.Fault{Kind: sandbox.Slow, Path: "/api/v2/sms", Delay: 1200 * time.Millisecond, Times: 1})
		r.until("all are sent", func() bool { return r.counts().Sent == 300 })
		if e.Counts().Requeued == 0 {
			t.Error("nothing went back to the queue")
		}
		if got, twice := r.phone.SMSPosts(), r.phone.TextedTwice(); got != 300 || len(twice) != 0 {
			t.Errorf("%d POSTs, %d texted twice", got, len(twice))
		}
	})
}
