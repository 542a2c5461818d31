package automation_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"dialpad-texting/app/automation"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

func TestConcurrentRunsOfACallbackMakeOneMessage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, record := range []string{"7", "8"} { // one is texted, one opted out
			e, id := w.accept(w.call(record))
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for { // as River does after an error
						if err := w.ProcessCallback(ctx, "t_9", e.CallbackID); err == nil {
							return
						}
					}
				})
			}
			all.Wait()
			if m := w.message(id); m.CallbackID != e.CallbackID {
				t.Errorf("the message is of %q", m.CallbackID)
			}
		}
		b := w.batches()
		if len(b) != 1 {
			t.Fatalf("%d batches", len(b))
		}
		if c := w.counts(b[0].ID); c.Sum() != 2 || c.Queued != 1 || c.Skipped != 1 {
			t.Errorf("counts %+v", c)
		}
		if n := w.countJobs("complete_callback"); n != 1 {
			t.Errorf("%d completions wait, want that of the one who opted out", n)
		}
	})
}

func TestCallbackWaitsForTheCRM(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
		e, id := w.accept(w.call("7"))
		for range 3 {
			if err := w.ProcessCallback(ctx, "t_9", e.CallbackID); err == nil {
				t.Fatal("processed without its record")
			}
		}
		if c := w.callback(e.CallbackID); c.State != ledger.CallbackAccepted {
			t.Fatalf("the callback is %s", c.State)
		}
		w.host.Mend()
		must(t, w.ProcessCallback(ctx, "t_9", e.CallbackID))
		if m := w.message(id); m.State != ledger.Queued || m.Text != "Hi Bob" {
			t.Errorf("%s %q", m.State, m.Text)
		}
	})
}

// The texts go out while the CRM takes no completion.
// Once it is up, it gets each completion once.
func TestCompletionsArriveOnceAfterAnOutageOfTheCRM(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.Seed(60, 0)
		var calls []crm.Execute
		for i := range 60 {
			e, _ := w.accept(w.call(seededID(i)))
			calls = append(calls, e)
		}
		w.host.Break(crmsandbox.Fault{Type: crm.CallComplete, Kind: crmsandbox.FaultDown})
		w.runJobs()
		w.runEngine()
		w.eventually("all sent, all turned away", func() bool {
			ending := 0
			for _, e := range calls {
				if w.callback(e.CallbackID).State == ledger.CallbackEnding {
					ending++
				}
			}
			return ending == len(calls)
		})
		if got := len(w.host.Completions()); got != 0 {
			t.Fatalf("%d completions while it was down", got)
		}
		w.host.Mend()
		w.clock.Add(time.Minute)
		must(t, w.EnqueueStalled(ctx)) // as the sweep does, while the jobs wait for their next try
		w.eventually("all completed", func() bool { return len(w.host.Completions()) >= len(calls) })
		for _, e := range calls {
			if got := w.completion(e.CallbackID); got.State != crm.StateSuccess {
				t.Errorf("%s ended as %+v", e.CallbackID, got)
			}
		}
		if n, twice := w.phone.SMSPosts(), w.phone.TextedTwice(); n != len(calls) || len(twice) != 0 {
			t.Errorf("%d texts, %d twice", n, len(twice))
		}
	})
}

func TestRepeatedCompletionHasTheSameID(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, id := w.process(w.call("8"))
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		// The process died after the CRM's answer, before storing it.
		must(t, w.db.Callbacks.Update(ctx, "t_9", e.CallbackID, []string{ledger.CallbackCompleted}, map[string]any{"state": ledger.CallbackEnding}))
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		w.completion(e.CallbackID)
		ids := map[string]int{}
		for _, c := range w.host.Calls() {
			if c.Type == crm.CallComplete {
				ids[c.WebhookID]++
			}
		}
		if len(ids) != 1 || ids["done_"+id] != 2 {
			t.Errorf("completed with %v", ids)
		}
	})
}

func TestRefusedCompletionIsRetriedEverMoreRarely(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, _ := w.process(w.call("8"))
		w.host.Break(crmsandbox.Fault{Type: crm.CallComplete, Kind: crmsandbox.FaultRefuse})
		var last time.Duration
		for _, age := range []time.Duration{0, time.Hour, 24 * time.Hour, 30 * 24 * time.Hour} {
			w.clock.Add(age)
			var later *automation.Later
			if err := w.Complete(ctx, "t_9", e.CallbackID); !errors.As(err, &later) || later.After <= last && later.After != 6*time.Hour {
				t.Fatalf("after %s: %v", age, err)
			}
			last = later.After
		}
		w.host.Mend()
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		w.completion(e.CallbackID)
	})
}

// A worker dies after the POST. The next one takes its lane over
// and does not send again. Dialpad's event settles the text.
func TestWorkerKilledAfterSendingLeavesOneTextAndOneCompletion(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, id := w.process(w.call("7"))
		lanes, err := w.db.Lanes.AcquireAllTenants(ctx, "dead", 10*time.Second, 0, 10)
		must(t, err)
		claimed, _, err := w.db.Lanes.Claim(ctx, lanes[0], ledger.ClaimParams{N: 10, Base: w.clock.Now()})
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %d, %v", len(claimed), err)
		}
		// Dialpad accepts it; the process is
		// killed before it writes the answer.
		_, err = w.db.Messages.MarkPostedAllTenants(ctx, []ledger.PostRef{{ID: claimed[0].ID, Attempt: claimed[0].Attempt}})
		must(t, err)
		token, err := w.tokens.Token(ctx, "t_9")
		must(t, err)
		taken, err := w.dp.SendSMS(ctx, token.Access, dialpad.SMS{UserID: sandbox.AnaID, ToNumber: claimed[0].ToNumber, Text: claimed[0].Text})
		must(t, err)
		w.clock.Add(11 * time.Second)
		w.runJobs()
		w.runEngine()
		w.eventually("taken over", func() bool { return w.message(id).State == ledger.Uncertain })
		w.clock.Add(31 * time.Second)
		must(t, w.EnqueueStalled(ctx))
		if n := len(w.completions(e.CallbackID)); n != 0 {
			t.Fatal("an unknown outcome was completed at once")
		}
		w.advance(id, ledger.EventEffect{State: ledger.Delivered, DialpadID: taken.ID, MatchedBy: "number"})
		w.eventually("completed", func() bool { return len(w.completions(e.CallbackID)) > 0 })
		if got := w.completion(e.CallbackID); got.State != crm.StateSuccess {
			t.Errorf("ended as %+v", got)
		}
		if n := w.phone.SMSPosts(); n != 1 {
			t.Errorf("it was sent %d times", n)
		}
	})
}

// Dialpad accepted the text and the answer was lost.
func TestEventEndsTheWaitOfAnUnknownOutcome(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.phone.Fault(sandbox.Fault{Kind: sandbox.DropAfterAccepting, Path: "/api/v2/sms", Times: 1})
		w.runJobs()
		w.runEngine()
		e, id := w.accept(w.call("7"))
		w.eventually("processed", func() bool { return w.callback(e.CallbackID).State == ledger.CallbackSending })
		w.eventually("unknown", func() bool { return w.message(id).State == ledger.Uncertain })
		if n := w.countJobs("complete_callback"); n != 0 {
			t.Errorf("%d jobs wait for an event", n)
		}
		w.advance(id, ledger.EventEffect{State: ledger.Sent, DialpadID: "d1"})
		w.eventually("completed", func() bool { return len(w.completions(e.CallbackID)) > 0 })
		if got := w.completion(e.CallbackID); got.State != crm.StateSuccess {
			t.Errorf("ended as %+v", got)
		}
	})
}

// A process is killed after settling and before
// completing. The sweep of another process completes.
func TestStalledCallbacksAreEnqueuedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sent, _ := w.process(w.call("7"))
		w.settle(ledger.Outcome{State: ledger.Sent})
		erased, erasedID := w.process(w.call("2"))
		must(t, w.db.EraseContact(ctx, "t_9", "2"))
		moving, _ := w.process(w.call("4"))
		waiting, _ := w.accept(w.call("10"))
		unknown, unknownID := w.process(w.call("12"))
		must(t, w.loseAnswer(unknownID))

		other := seed.Store(t, w.dsn, w.clock.Now) // another process
		w.build(other.Store)
		n, err := other.Callbacks.EnqueueStalledAllTenants(ctx, w.clock.Now().Add(-30*time.Second), w.clock.Now().Add(-10*time.Minute), 100)
		if err != nil || n != 0 {
			t.Fatalf("enqueued %d at once, %v", n, err)
		}
		w.clock.Add(31 * time.Second)
		n, err = other.Callbacks.EnqueueStalledAllTenants(ctx, w.clock.Now().Add(-30*time.Second), w.clock.Now().Add(-10*time.Minute), 100)
		if err != nil || n != 3 {
			t.Fatalf("enqueued %d, want the sent, the erased and the accepted one; %v", n, err)
		}
		w.runJobs()
		w.eventually("completed", func() bool {
			return len(w.completions(sent.CallbackID)) == 1 && len(w.completions(erased.CallbackID)) == 1
		})
		if got := w.completion(erased.CallbackID); got.Outputs.ErrorCode != "cancelled" || w.message(erasedID).State != ledger.Cancelled {
			t.Errorf("the erased one ended as %+v", got)
		}
		w.eventually("processed", func() bool { return w.callback(waiting.CallbackID).State == ledger.CallbackSending })
		if w.callback(moving.CallbackID).State != ledger.CallbackSending || len(w.completions(unknown.CallbackID)) != 0 {
			t.Error("what was on its way was ended")
		}
		w.clock.Add(10 * time.Minute)
		w.eventually("the jobs are over", func() bool { return w.countJobs("complete_callback", rivertype.JobStateRunning) == 0 })
		must(t, w.EnqueueStalled(ctx))
		w.eventually("the unknown one completed", func() bool { return len(w.completions(unknown.CallbackID)) == 1 })
	})
}

// loseAnswer claims all texts and makes one uncertain, as a takeover does.
func (w *world) loseAnswer(id string) error {
	claimed := w.claim()
	for _, c := range claimed {
		if c.ID == id {
			_, err := w.db.Settle(ctx, []ledger.Outcome{{ID: c.ID, Attempt: c.Attempt, State: ledger.Uncertain, Code: "worker_lost", Text: ledger.UnknownOutcome}})
			return err
		}
	}
	return errors.New("it was not claimed")
}

func TestNewCRMUserCanSendAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.SeedUsers(1)
		id, email := "1004", w.seededEmail("1004")
		if _, err := w.db.Users.Get(ctx, "t_9", id); !errors.Is(err, models.ErrNotFound) {
			t.Fatalf("already known: %v", err)
		}
		account := w.phone.AddUser(sandbox.User{CompanyID: sandbox.AcmeID, Emails: []string{email}, Numbers: []string{"+14155550106"}})
		_, err := w.people.SyncDirectory(ctx, "t_9")
		must(t, err)
		_, message := w.process(w.call("7", from(id)))
		if m := w.message(message); m.State != ledger.Queued || m.SenderID != account {
			t.Errorf("%s %q from %s", m.State, m.ErrorText, m.SenderID)
		}
	})
}

// seededEmail returns a CRM user's e-mail.
func (w *world) seededEmail(id string) string {
	w.t.Helper()
	page, err := w.client.Users(ctx, w.host.Tenant("acme"), "")
	must(w.t, err)
	for _, u := range page.Users {
		if u.ID == id {
			return u.Email
		}
	}
	w.t.Fatalf("the CRM has no user %s: %+v", id, page.Users)
	return ""
}

// seededID is the id of the i-th contact that the CRM sandbox seeded.
func seededID(i int) string { return strconv.Itoa(1060 + i) }
