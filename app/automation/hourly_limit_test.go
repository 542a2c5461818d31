package automation_test

import (
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/batch"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

func TestAutomationTextsAreLimitedByTheHour(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.texts = apptest.NewLimitedServices(w.db.Store, w.client, w.eligible, audience.Config{Now: w.clock.Now}, batch.Config{AutomationPerHour: 2})
		w.Automation = automation.New(w.db.Store, w.client, w.eligible, w.texts.Texts(), automation.Config{Now: w.clock.Now})
		for _, record := range []string{"7", "2"} {
			if _, id := w.process(w.call(record)); w.message(id).State != ledger.Queued {
				t.Fatalf("the text to %s is %s", record, w.message(id).State)
			}
		}
		e, id := w.process(w.call("1"))
		if m := w.message(id); m.State != ledger.Failed || m.ErrorCode != batch.CodeHourlyLimit {
			t.Errorf("the third is %s %s", m.State, m.ErrorCode)
		}
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		if got := w.completion(e.CallbackID); got.Outputs.ErrorCode != batch.CodeHourlyLimit ||
			!strings.Contains(got.Outputs.ErrorText, "sent 2 texts from automations within this hour") {
			t.Errorf("completed %+v", got)
		}
		if _, id := w.process(w.call("1", func(e *crm.Execute) { e.Inputs.FromUser = "43" })); w.message(id).State != ledger.Queued {
			t.Errorf("another From User's is %s", w.message(id).State)
		}
		w.clock.Add(time.Hour)
		if _, id := w.process(w.call("1")); w.message(id).State != ledger.Queued {
			t.Errorf("an hour later it is %s", w.message(id).State)
		}
	})
}
