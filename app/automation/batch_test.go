package automation_test

import (
	"testing"
	"time"

	"dialpad-texting/app/install"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestWorkflowHasOneBatchADay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		noon := time.Date(2030, 3, 4, 17, 0, 0, 0, time.UTC) // noon in New York
		w.clock.Add(noon.Sub(w.clock.Now()))
		w.people.SyncDirectory(ctx, "t_9")
		_, first := w.process(w.call("7"))
		b, err := w.db.Batches.Get(ctx, "t_9", "", w.message(first).BatchID)
		must(t, err)
		if b.Source != ledger.SourceAutomation || b.Class != ledger.ClassAutomation || b.UserID != "" || b.WorkflowID != "w1" || b.WorkflowName != "Welcome" ||
			b.IdempotencyKey != "workflow:w1:2030-03-04" || b.State != ledger.BatchSending || b.Message != "Hi {{Contact.firstName|there}}" {
			t.Errorf("the batch is %+v", b)
		}
		w.settle(ledger.Outcome{State: ledger.Sent})
		if b, _ = w.db.Batches.Get(ctx, "t_9", "", b.ID); b.State != ledger.BatchDone {
			t.Fatalf("with nothing left it is %s", b.State)
		}
		_, again := w.process(w.call("7")) // the same person again
		if b, _ = w.db.Batches.Get(ctx, "t_9", "", b.ID); w.message(again).BatchID != b.ID || b.State != ledger.BatchSending || b.FinishedAt != nil {
			t.Errorf("a later call went to %s, the batch is %s since %v", w.message(again).BatchID, b.State, b.FinishedAt)
		}
		w.process(w.call("8")) // opted out: stored as skipped
		if c := w.counts(b.ID); c.Sum() != 3 || c.Sent != 1 || c.Queued != 1 || c.Skipped != 1 {
			t.Errorf("counts %+v", c)
		}
		w.process(w.call("7", flow("w2")))
		w.clock.Add(13 * time.Hour) // tomorrow in New York
		w.process(w.call("7"))
		keys := map[string]bool{}
		for _, b := range w.batches() {
			keys[b.IdempotencyKey] = true
		}
		if len(keys) != 3 || !keys["workflow:w2:2030-03-04"] || !keys["workflow:w1:2030-03-05"] {
			t.Errorf("batches %v", keys)
		}
	})
}

func TestCancelEndsEarlierCallbacksAndNoLaterOnes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		queued, queuedID := w.process(w.call("7"))
		waiting, waitingID := w.accept(w.call("2")) // accepted, not processed yet
		batch := w.message(queuedID).BatchID
		_, err := w.texts.Cancel(ctx, w.admin(), batch)
		must(t, err)
		later, laterID := w.process(w.call("4"))
		must(t, w.ProcessCallback(ctx, "t_9", waiting.CallbackID))
		n, err := w.texts.ApplyState(ctx, "t_9", batch)
		if err != nil || n != 1 {
			t.Fatalf("moved %d, %v", n, err)
		}
		if got := w.countJobs("complete_callback"); got != 2 {
			t.Errorf("%d completions wait", got)
		}
		for _, e := range []crm.Execute{queued, waiting, later} {
			must(t, w.Complete(ctx, "t_9", e.CallbackID))
		}
		for _, e := range []crm.Execute{queued, waiting} {
			got := w.completion(e.CallbackID)
			if got.Port != crm.PortFailed || got.Outputs.ErrorCode != "cancelled" || got.Outputs.Status != "cancelled" || got.Outputs.ErrorText != "Cancelled by Ana Ruiz" || got.Severity != crm.SeverityMedium {
				t.Errorf("a cancelled call ended as %+v", got)
			}
		}
		if w.message(waitingID).BatchID != batch || w.message(waitingID).State != ledger.Cancelled {
			t.Errorf("what was called before: %+v", w.message(waitingID))
		}
		if m := w.message(laterID); m.BatchID == batch || m.State != ledger.Queued || len(w.completions(later.CallbackID)) != 0 {
			t.Errorf("what was called after is %s in the batch %s", m.State, m.BatchID)
		}
		if c := w.counts(batch); c.Cancelled != 2 || c.Sum() != 2 {
			t.Errorf("counts %+v", c)
		}
		w.process(w.call("7"))
		if b := w.batches(); len(b) != 2 || w.counts(w.message(laterID).BatchID).Queued != 2 {
			t.Errorf("%d batches", len(b))
		}
	})
}

func TestRemovedAppCompletesWaitingCallbacksWithHighSeverity(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, id := w.process(w.call("7"))
		must(t, install.New(w.db.Store, w.eligible, w.connections, nil).Remove(ctx, "t_9", "42"))
		_, err := w.texts.ApplyState(ctx, "t_9", w.message(id).BatchID)
		must(t, err)
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		if got := w.completion(e.CallbackID); got.Severity != crm.SeverityHigh || got.Outputs.ErrorCode != "not_installed" || got.Outputs.ErrorText != connectWords {
			t.Errorf("ended as %+v", got)
		}
	})
}

func TestPausedBatchKeepsItsCallbacksAndSenders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		before, beforeID := w.process(w.call("7"))
		batch := w.message(beforeID).BatchID
		_, err := w.texts.Pause(ctx, w.admin(), batch)
		must(t, err)
		_, err = w.texts.ApplyState(ctx, "t_9", batch)
		must(t, err)
		_, duringID := w.process(w.call("2", from("43")))
		if m := w.message(duringID); m.State != ledger.Held || m.BatchID != batch {
			t.Fatalf("called during the pause: %s", m.State)
		}
		must(t, w.Complete(ctx, "t_9", before.CallbackID))
		if len(w.completions(before.CallbackID)) != 0 {
			t.Fatal("a pause ended a call")
		}
		_, err = w.texts.Resume(ctx, w.admin(), batch)
		must(t, err)
		n, err := w.texts.ApplyState(ctx, "t_9", batch)
		if err != nil || n != 2 {
			t.Fatalf("resumed %d, %v", n, err)
		}
		senders := map[string]string{}
		for _, c := range w.settle(ledger.Outcome{State: ledger.Sent}) {
			senders[c.ID] = c.FromNumber
			if !c.SenderMatches {
				t.Errorf("%s lost its sender", c.ID)
			}
		}
		if senders[beforeID] != "+14155550100" || senders[duringID] != "+14155550101" {
			t.Errorf("sent from %v", senders)
		}
	})
}

// On Postgres a settling worker can't see the text
// that is being added, and would finish its batch.
func TestBatchIsNotFinishedWhileATextIsAdded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.db.Embedded() {
			t.Skip("one writer at a time: there is no such moment")
		}
		_, first := w.process(w.call("7"))
		batch := w.message(first).BatchID
		w.settle(ledger.Outcome{State: ledger.Sent})
		b, err := w.db.Batches.Get(ctx, "t_9", "", batch)
		must(t, err)
		must(t, w.db.Batches.Update(ctx, "t_9", batch, []string{ledger.BatchDone}, map[string]any{"state": ledger.BatchSending}))
		finished := make(chan error, 1)
		must(t, w.db.Tx(ctx, func(tx *models.Store) error {
			b.ID = models.NewID()
			open, err := tx.Batches.OpenForWorkflow(ctx, b, w.clock.Now())
			if err != nil || open.ID != batch {
				t.Fatalf("opened %s, %v", open.ID, err)
			}
			lane, err := tx.Lanes.Get(ctx, "t_9", w.acme.Lane)
			must(t, err)
			m := w.message(first)
			m.ID, m.CallbackID, m.State, m.Turn = models.NewID(), "cb_late", ledger.Queued, 0
			_, err = tx.Messages.Add(ctx, lane, []ledger.Message{m})
			must(t, err)
			go func() { finished <- w.db.Batches.Finish(ctx, []string{batch}) }()
			w.eventually("the settling worker waits for the row", w.isLockAwaited)
			return nil
		}))
		must(t, <-finished)
		if b, err = w.db.Batches.Get(ctx, "t_9", "", batch); err != nil || b.State != ledger.BatchSending {
			t.Errorf("with a text in it the batch is %s, %v", b.State, err)
		}
	})
}
