package automation_test

import (
	"fmt"
	"testing"
	"time"

	"dialpad-texting/app/outbox"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/ledger"
)

func TestBurstDelaysAOneToOneByOneSlotAtMost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.acme.Batch("burst", ledger.ClassAutomation, sandbox.AnaID, "ana@acme.com", 10_000)
		w.acme.Batch("other workflow", ledger.ClassAutomation, sandbox.BenID, "ben@acme.com", 3)
		lanes, err := w.db.Lanes.AcquireAllTenants(ctx, "test", time.Minute, 0, 1)
		must(t, err)
		next := func(low int) string {
			t.Helper()
			got, _, err := w.db.Lanes.Claim(ctx, lanes[0], ledger.ClaimParams{N: 1, LowClassQuota: low, LowClassLimit: ledger.ClassBulk, Base: w.clock.Now()})
			if err != nil || len(got) != 1 {
				t.Fatalf("claimed %d, %v", len(got), err)
			}
			_, err = w.db.Settle(ctx, []ledger.Outcome{{ID: got[0].ID, Attempt: 1, State: ledger.Sent, DialpadID: got[0].ID}})
			must(t, err)
			return got[0].BatchID
		}
		for range 5 {
			next(0)
		}
		for i := range 3 {
			one := fmt.Sprint("one", i)
			w.acme.Batch(one, ledger.ClassOneToOne, sandbox.BenID, "ben@acme.com", 1)
			if got := next(0); got != one {
				t.Errorf("the next slot went to %q", got)
			}
		}
		// The worst slot is one of the lower classes' share.
		w.acme.Batch("one", ledger.ClassOneToOne, sandbox.BenID, "ben@acme.com", 1)
		if first, second := next(1), next(1); first == "one" || second != "one" && next(0) != "one" {
			t.Errorf("slots went to %q and %q", first, second)
		}
		for range 6 {
			next(0)
		}
		if c := w.counts("other workflow"); c.Sent != 3 {
			t.Errorf("of another workflow's three texts %d went out beside the burst", c.Sent)
		}
	})
}

// One Cancel ends the whole burst, processed or not.
func TestBurstIsPacedAndCancelledAsOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 240
		w.host.Seed(n, 0)
		w.acme.Rate(100)
		calls := make([]crm.Execute, n)
		for i := range calls {
			calls[i], _ = w.accept(w.call(seededID(i)))
		}
		for _, e := range calls[:n/2] {
			must(t, w.ProcessCallback(ctx, "t_9", e.CallbackID))
		}
		outbox, err := w.texts.Outbox.Batches(ctx, w.admin(), outbox.Filter{Source: "automation"})
		if err != nil || len(outbox.Batches) != 1 || outbox.Batches[0].Workflow == nil || outbox.Batches[0].Workflow.Name != "Welcome" || outbox.Batches[0].Counts.Queued != n/2 {
			t.Fatalf("the outbox shows %+v, %v", outbox.Batches, err)
		}
		if eta := outbox.Batches[0].ETA; eta == nil || eta.Sub(w.clock.Now()) < time.Minute {
			t.Errorf("%d texts at 100 a minute are through at %v", n/2, eta)
		}
		id := outbox.Batches[0].ID
		_, err = w.texts.Cancel(ctx, w.admin(), id)
		must(t, err)
		_, err = w.texts.ApplyState(ctx, "t_9", id)
		must(t, err)
		w.runJobs()
		w.eventually("all completed", func() bool { return len(w.host.Completions()) >= n })
		for _, e := range calls {
			if got := w.completion(e.CallbackID); got.Outputs.ErrorCode != "cancelled" {
				t.Fatalf("%s ended as %+v", e.CallbackID, got)
			}
		}
		if c := w.counts(id); c.Cancelled != n || c.Sum() != n || len(w.batches()) != 1 {
			t.Errorf("counts %+v in %d batches", c, len(w.batches()))
		}
	})
}
