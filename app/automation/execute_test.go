package automation_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"dialpad-texting/app/automation"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestRepeatedCallbackHasTheSameAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, id := w.process(w.call("7"))
		w.settle(ledger.Outcome{State: ledger.Sent})
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		w.clock.Add(400 * 24 * time.Hour)
		other := e
		other.Inputs.Message, other.RecordID = "Something else", "2"
		unreadable := e
		unreadable.Inputs.Message = "Hi {{"
		for _, again := range []crm.Execute{e, other, unreadable} {
			if _, got := w.accept(again); got != id {
				t.Errorf("answered %s, first %s", got, id)
			}
		}
		must(t, w.ProcessCallback(ctx, "t_9", e.CallbackID))
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		w.completion(e.CallbackID)
		if b := w.batches(); len(b) != 1 || w.counts(b[0].ID).Sum() != 1 {
			t.Errorf("a repeated call made another text: %+v", b)
		}
	})
}

func TestConcurrentExecutesAcceptOneCallback(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e := w.call("7")
		ids := make([]string, 16)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				x, err := w.Execute(ctx, e)
				if err != nil {
					t.Error(err)
				}
				ids[i] = x.MessageID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id == "" || id != ids[0] {
				t.Fatalf("answers differ: %v", ids)
			}
		}
		if n := w.countJobs("execute_callback"); n != 1 {
			t.Errorf("%d jobs", n)
		}
	})
}

func TestTwoTenantsMayUseOneCallbackID(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.db.Tenant("t_7")
		mine, id := w.accept(w.call("7"))
		other := mine
		other.Tenant.ID = "t_7"
		x, err := w.Execute(ctx, other)
		must(t, err)
		if x.MessageID == id {
			t.Error("two tenants share a message")
		}
	})
}

func TestInvalidInputsAreRefusedAndNotStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		long := strings.Repeat("x", 201)
		for _, c := range []struct {
			field  string
			change func(*crm.Execute)
		}{
			{"inputs.from_user", from("")},
			{"inputs.message", message("")},
			{"inputs.message", message("  \n ")},
			{"inputs.message", message("Hi {{Contact.firstName")},
			{"inputs.message", message("Hi {{firstName}}")},
			{"inputs.to_field", field(long)},
			{"inputs.template_id", template(long)},
			{"module", func(e *crm.Execute) { e.Module = "company" }},
			{"record_id", func(e *crm.Execute) { e.RecordID = "" }},
			{"callback_id", func(e *crm.Execute) { e.CallbackID = long }},
			{"workflow.id", func(e *crm.Execute) { e.Workflow.ID = long }},
		} {
			e := w.call("7", c.change)
			_, err := w.Execute(ctx, e)
			var invalid *automation.Invalid
			if !errors.As(err, &invalid) || invalid.Field != c.field || invalid.Message == "" {
				t.Errorf("%s: %+v", c.field, err)
			}
			if _, err := w.db.Callbacks.Get(ctx, "t_9", e.CallbackID); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("%s left a callback: %v", c.field, err)
			}
		}
		if n := w.countJobs("execute_callback"); n != 0 {
			t.Errorf("%d jobs", n)
		}
	})
}
