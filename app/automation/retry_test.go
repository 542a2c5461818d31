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

func TestWorkersCarryingOneCallAtOnceMakeOneMessage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, record := range []string{"7", "8"} { // one that is texted, one that opted out
			e, id := w.accept(w.call(record))
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for { // River retries what fails, say for a busy database
						if err := w.Carry(ctx, "t_9", e.CallbackID); err == nil {
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
		if n := w.jobs("complete_callback"); n != 1 {
			t.Errorf("%d completions wait, want that of the one who opted out", n)
		}
	})
}

func TestACallWaitsForACRMThatIsDownAndIsTextedOnceItIsUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
		e, id := w.accept(w.call("7"))
		for range 3 {
			if err := w.Carry(ctx, "t_9", e.CallbackID); err == nil {
				t.Fatal("carried without its record")
			}
		}
		if c := w.callback(e.CallbackID); c.State != ledger.CallbackAccepted {
			t.Fatalf("the callback is %s", c.State)
		}
		w.host.Mend()
		must(t, w.Carry(ctx, "t_9", e.CallbackID))
		if m := w.message(id); m.State != ledger.Queued || m.Text != "Hi Bob" {
			t.Errorf("%s %q", m.State, m.Text)
		}
	})
}

// The burst is texted while the CRM takes no completion; once it is up it hears each, once.
func TestCompletionsArriveOnceEachAfterTheCRMWasDown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.Seed(60, 0)
		var calls []crm.Execute
		for i := range 60 {
			e, _ := w.accept(w.call(seeded(i)))
			calls = append(calls, e)
		}
		w.host.Break(crmsandbox.Fault{Type: crm.CallComplete, Kind: crmsandbox.FaultDown})
		w.works()
		w.engine()
		w.until("all sent, all turned away", func() bool {
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
		must(t, w.PickUp(ctx)) // as the sweep does, over the jobs that still wait for their next try
		w.until("all told", func() bool { return len(w.host.Completions()) >= len(calls) })
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

func TestACompletionWhoseAnswerWasLostHasTheSameIDAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, id := w.carried(w.call("8"))
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		// The process died after the CRM's answer and before it was noted.
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
			t.Errorf("told with %v", ids)
		}
	})
}

func TestARefusedCompletionIsToldEverMoreRarely(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, _ := w.carried(w.call("8"))
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

// A worker dies between the send and the completion: the next one takes its lane over, nobody sends again, Dialpad's
// event settles the text, and the CRM hears of it once.
func TestAWorkerKilledBetweenSendAndCompleteLeavesOneTextAndOneCompletion(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, id := w.carried(w.call("7"))
		lanes, err := w.db.Lanes.AcquireAllTenants(ctx, "dead", 10*time.Second, 0, 10)
		must(t, err)
		claimed, _, err := w.db.Lanes.Claim(ctx, lanes[0], ledger.ClaimSize{N: 10, Base: w.clock.Now()})
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %d, %v", len(claimed), err)
		}
		// Dialpad takes it; the process is killed before it writes the answer.
		token, err := w.market.Token(ctx, "t_9")
		must(t, err)
		taken, err := w.dp.SendSMS(ctx, token.Access, dialpad.SMS{UserID: sandbox.AnaID, ToNumber: claimed[0].ToNumber, Text: claimed[0].Text})
		must(t, err)
		w.clock.Add(11 * time.Second)
		w.works()
		w.engine()
		w.until("taken over", func() bool { return w.message(id).State == ledger.Uncertain })
		w.clock.Add(31 * time.Second)
		must(t, w.PickUp(ctx))
		if n := len(w.told(e.CallbackID)); n != 0 {
			t.Fatal("an unknown outcome was told at once")
		}
		w.advance(id, ledger.EventEffect{State: ledger.Delivered, DialpadID: taken.ID, MatchedBy: "number"})
		w.until("told", func() bool { return len(w.told(e.CallbackID)) > 0 })
		if got := w.completion(e.CallbackID); got.State != crm.StateSuccess {
			t.Errorf("ended as %+v", got)
		}
		if n := w.phone.SMSPosts(); n != 1 {
			t.Errorf("it was sent %d times", n)
		}
	})
}

// Dialpad took the text and the answer was lost: the event that says so ends the wait, not the tenth minute.
func TestAnEventEndsTheWaitOfAnUnknownOutcomeAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.phone.Fault(sandbox.Fault{Kind: sandbox.DropAfterAccepting, Path: "/api/v2/sms", Times: 1})
		w.works()
		w.engine()
		e, id := w.accept(w.call("7"))
		w.until("carried", func() bool { return w.callback(e.CallbackID).State == ledger.CallbackSending })
		w.until("unknown", func() bool { return w.message(id).State == ledger.Uncertain })
		if n := w.jobs("complete_callback"); n != 0 {
			t.Errorf("%d jobs wait for an event", n)
		}
		w.advance(id, ledger.EventEffect{State: ledger.Sent, DialpadID: "d1"})
		w.until("told", func() bool { return len(w.told(e.CallbackID)) > 0 })
		if got := w.completion(e.CallbackID); got.State != crm.StateSuccess {
			t.Errorf("ended as %+v", got)
		}
	})
}

// Killed after the answer was settled and before anyone completed: the sweep of another process does it.
func TestASettledTextWhoseWakeUpWasLostIsPickedUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sent, _ := w.carried(w.call("7"))
		w.settle(ledger.Outcome{State: ledger.Sent})
		erased, erasedID := w.carried(w.call("2"))
		must(t, w.db.EraseContact(ctx, "t_9", "2"))
		moving, _ := w.carried(w.call("4"))
		waiting, _ := w.accept(w.call("10"))
		unknown, unknownID := w.carried(w.call("12"))
		must(t, w.loseAnswerOf(unknownID))

		other := seed.Store(t, w.dsn, w.clock.Now) // a process that knows nothing of these
		w.wire(other.Store)
		n, err := other.Callbacks.EnqueueStalledAllTenants(ctx, w.clock.Now().Add(-30*time.Second), w.clock.Now().Add(-10*time.Minute), 100)
		if err != nil || n != 0 {
			t.Fatalf("picked up %d at once, %v", n, err)
		}
		w.clock.Add(31 * time.Second)
		n, err = other.Callbacks.EnqueueStalledAllTenants(ctx, w.clock.Now().Add(-30*time.Second), w.clock.Now().Add(-10*time.Minute), 100)
		if err != nil || n != 3 {
			t.Fatalf("picked up %d, want the sent, the erased and the accepted one; %v", n, err)
		}
		w.works()
		w.until("told", func() bool { return len(w.told(sent.CallbackID)) == 1 && len(w.told(erased.CallbackID)) == 1 })
		if got := w.completion(erased.CallbackID); got.Outputs.ErrorCode != "cancelled" || w.message(erasedID).State != ledger.Cancelled {
			t.Errorf("the erased one ended as %+v", got)
		}
		w.until("carried", func() bool { return w.callback(waiting.CallbackID).State == ledger.CallbackSending })
		if w.callback(moving.CallbackID).State != ledger.CallbackSending || len(w.told(unknown.CallbackID)) != 0 {
			t.Error("what was on its way was ended")
		}
		w.clock.Add(10 * time.Minute)
		w.until("the jobs are over", func() bool { return w.jobs("complete_callback", rivertype.JobStateRunning) == 0 })
		must(t, w.PickUp(ctx))
		w.until("the unknown one told", func() bool { return len(w.told(unknown.CallbackID)) == 1 })
	})
}

// loseAnswerOf claims everything and has the worker die.
func (w *world) loseAnswerOf(id string) error {
	claimed := w.claim()
	for _, c := range claimed {
		if c.ID == id {
			_, err := w.db.Settle(ctx, []ledger.Outcome{{ID: c.ID, Attempt: c.Attempt, State: ledger.Uncertain, Code: "worker_lost", Text: ledger.UnknownOutcome}})
			return err
		}
	}
	return errors.New("it was not claimed")
}

func TestANewCRMUserSendsWithoutWaitingForTheNextRound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.SeedUsers(1)
		id, email := "1004", w.seededEmail("1004")
		if _, err := w.db.Users.Get(ctx, "t_9", id); !errors.Is(err, models.ErrNotFound) {
			t.Fatalf("already known: %v", err)
		}
		account := w.phone.AddUser(sandbox.User{CompanyID: sandbox.AcmeID, Emails: []string{email}, Numbers: []string{"+14155550106"}})
		_, err := w.people.SyncDirectory(ctx, "t_9")
		must(t, err)
		_, message := w.carried(w.call("7", from(id)))
		if m := w.message(message); m.State != ledger.Queued || m.SenderID != account {
			t.Errorf("%s %q from %s", m.State, m.ErrorText, m.SenderID)
		}
	})
}

// seededEmail asks the CRM for a user's e-mail.
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

// seeded is the id of the i-th person that the CRM sandbox made beside its sixty.
func seeded(i int) string { return strconv.Itoa(1060 + i) }
