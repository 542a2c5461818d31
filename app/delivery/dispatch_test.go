package delivery_test

import (
	"sync/atomic"
	"testing"
	"time"

	"dialpad-texting/app/delivery"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/ledger"
)

// Dialpad answers fast, so texts are claimed ahead of the only connection. Then
// it stops answering, and their recheck grows old. The engine's clock is slow,
// so that answers are fast on a busy machine too.
func TestTextThatWaitedForAConnectionIsRequeued(t *testing.T) {
	each(t, func(r *rig) {
		const people = 60
		var jump atomic.Int64
		began := time.Now()
		now := func() time.Time { return began.Add(time.Since(began)/50 + time.Duration(jump.Load())) }
		r.acme.Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", people)
		e, _ := r.run(delivery.Config{Connections: 1, Now: now})
		r.until("Dialpad's answers are known to be fast", func() bool { return r.counts().Sent >= 3 })
		r.phone.Fault(sandbox.Fault{Kind: sandbox.Slow, Path: "/api/v2/sms", Delay: 3 * time.Second, Times: 1})
		r.until("texts wait behind a slow answer", func() bool { return len(r.phone.Faults()) == 0 && r.counts().Sending >= 2 })
		jump.Store(int64(2 * time.Second))
		r.until("all are sent", func() bool { return r.counts().Sent == people })
		if e.Counts().Requeued == 0 {
			t.Error("nothing went back to the queue")
		}
		if got, twice := r.phone.SMSPosts(), r.phone.TextedTwice(); got != people || len(twice) != 0 {
			t.Errorf("%d POSTs, %d texted twice", got, len(twice))
		}
	})
}
