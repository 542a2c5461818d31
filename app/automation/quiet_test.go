package automation_test

import (
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// An automation's text waits for the morning: nothing is claimed or tried at
// night, and its callback completes when the text has gone.
func TestTextsOfTheNightWaitForTheMorning(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.db.Tenants.SaveSettings(ctx, "t_9", models.Settings{Country: "US", QuietFrom: "20:00", QuietTo: "09:00", KeepLaws: true}))
		loc, err := time.LoadLocation("America/Los_Angeles") // where Bob is
		must(t, err)
		w.clock.Add(time.Date(2026, 3, 2, 23, 30, 0, 0, loc).Sub(w.clock.Now()))
		e, id := w.process(w.call("7"))
		morning := time.Date(2026, 3, 3, 9, 0, 0, 0, loc)
		if m := w.message(id); m.State != ledger.Waiting || !m.DueAt.Equal(morning) {
			t.Fatalf("%s, due at %v", m.State, m.DueAt)
		}
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		if n := len(w.completions(e.CallbackID)); n != 0 || w.callback(e.CallbackID).State != ledger.CallbackSending {
			t.Fatalf("%d completions at night", n)
		}
		w.clock.Add(morning.Sub(w.clock.Now()) - time.Minute)
		stop := w.runEngine()
		stop()
		attempts, err := w.db.Messages.Attempts(ctx, "t_9", id)
		if m := w.message(id); err != nil || m.State != ledger.Waiting || m.Attempt != 0 || len(attempts) != 0 {
			t.Errorf("a minute before: %s, attempt %d, %d rows, %v", m.State, m.Attempt, len(attempts), err)
		}
		w.clock.Add(time.Minute)
		w.runEngine()
		w.eventually("sent", func() bool { return w.message(id).State == ledger.Sent })
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		if got := w.completion(e.CallbackID); got.Port != "send" {
			t.Errorf("completed as %+v", got)
		}
	})
}

// A user whom the CRM deactivated and activated again texts without a launch
// in between: an inactive user is read again.
func TestSenderWhoIsActiveAgainTexts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.db.Users.Deactivate(ctx, "t_9", "43"))
		_, id := w.process(w.call("7", from("43")))
		if m := w.message(id); m.State != ledger.Queued {
			t.Errorf("%s %q", m.State, m.ErrorText)
		}
		must(t, w.db.Users.Deactivate(ctx, "t_9", "43")) // once more, before it goes
		w.clock.Add(time.Minute)
		w.runEngine()
		w.eventually("sent", func() bool { return w.message(id).State == ledger.Sent })
	})
}
