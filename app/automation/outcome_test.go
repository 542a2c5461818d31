package automation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func failedCompletion(messageID, code, words, severity string) crm.Completion {
	return crm.Completion{State: crm.StateFail, Port: crm.PortFailed, Severity: severity,
		Outputs: crm.CompletionOutputs{Status: "failed", MessageID: messageID, ErrorCode: code, ErrorText: words}}
}

// checkOutcome processes and completes a callback that
// ends without a text, and compares its completion.
func (w *world) checkOutcome(e crm.Execute, code, words, severity string) {
	w.t.Helper()
	_, id := w.process(e)
	must(w.t, w.Complete(ctx, "t_9", e.CallbackID))
	want := failedCompletion(id, code, words, severity)
	want.CallbackID = e.CallbackID
	if diff := cmp.Diff(want, w.completion(e.CallbackID)); diff != "" {
		w.t.Errorf("%s (-want +got)\n%s", e.CallbackID, diff)
	}
	if got := w.callback(e.CallbackID); got.State != ledger.CallbackCompleted || got.CompletedAt == nil || len(got.Request) > 0 {
		w.t.Errorf("the callback is %s at %v and keeps %d bytes of its request", got.State, got.CompletedAt, len(got.Request))
	}
}

func TestEachReasonWhyNobodyIsTextedReachesTheCRM(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.DeleteContact("acme", "20")
		_, err := w.db.Suppressions.Add(ctx, "t_9", "+14155550110", models.OptOutReply, "")
		must(t, err)
		for _, c := range []struct {
			name, code, words string
			call              crm.Execute
		}{
			{"opted out in the CRM", "opted_out", "Text Unsubscribed", w.call("8")},
			{"said STOP", "opted_out", "Text Unsubscribed", w.call("1")},
			{"no number", "no_number", "No number in this field", w.call("11")},
			{"no such phone field", "no_number", "No number in this field", w.call("7", field("fax"))},
			{"invalid number", "invalid_number", "Not a valid number", w.call("13")},
			{"empty field", "empty_field", "{{Contact.firstName}} is empty", w.call("9", message("Hi {{Contact.firstName}}"))},
			{"unknown field", "unknown_field", "There is no field {{Contact.fristName}}. Did you mean {{Contact.firstName}}?", w.call("7", message("Hi {{Contact.fristName}}"))},
			{"record is gone", "missing", "The record no longer exists", w.call("20")},
			{"sender may not see it", "forbidden", "The sender may not see this record", w.call("24", from("43"))},
			{"template is gone", "not_found", "That template no longer exists.", w.call("7", template("tpl_none"))},
			{"a blank message gives way to the template", "not_found", "That template no longer exists.", w.call("7", template("tpl_none"), message("\u200b"))},
			{"no Dialpad account", "no_account", "No Dialpad account found", w.call("7", from("44"))},
			{"account without a number", "no_account", "No Dialpad account found", w.call("7", from("45"))},
			{"nobody by that id", "no_account", "No Dialpad account found", w.call("7", from("99"))},
			{"owner without an account", "no_account", "No Dialpad account found", w.call("14", from("owner"))},
		} {
			t.Run(c.name, func(t *testing.T) {
				w.t = t
				w.checkOutcome(c.call, c.code, c.words, crm.SeverityMedium)
			})
		}
		if n := w.phone.SMSPosts(); n != 0 {
			t.Errorf("%d texts left", n)
		}
	})
}

func TestSuspendedOrDeactivatedSenderHasNoAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.phone.SuspendUser(sandbox.BenID)
		_, err := w.people.SyncDirectory(ctx, "t_9")
		must(t, err)
		w.checkOutcome(w.call("7", from("43")), "no_account", "No Dialpad account found", crm.SeverityMedium)
		w.host.Deactivate("acme", "42")
		must(t, w.db.Users.Deactivate(ctx, "t_9", "42"))
		w.checkOutcome(w.call("7", from("42")), "no_account", "No Dialpad account found", crm.SeverityMedium)
	})
}

func TestWithoutPlanInstallOrConnectionACallbackFailsWithHighSeverity(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.setPlan("starter")
		w.checkOutcome(w.call("7"), "plan_required", connectWords, crm.SeverityHigh)
		w.setPlan("business")
		must(t, w.db.Installations.Uninstall(ctx, "t_9"))
		w.checkOutcome(w.call("7"), "not_installed", connectWords, crm.SeverityHigh)
		_, err := w.db.Installations.Install(ctx, "t_9", "42")
		must(t, err)
		must(t, w.tokens.Break(ctx, "t_9", 0, "Dialpad no longer accepts the connection."))
		w.checkOutcome(w.call("7"), "not_connected", connectWords, crm.SeverityHigh)
		must(t, w.connections.Disconnect(ctx, "t_9", "42"))
		w.checkOutcome(w.call("7"), "not_connected", connectWords, crm.SeverityHigh)
	})
}

func TestCallbackCompletesOnceDialpadAcceptedTheText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		byBen, benID := w.process(w.call("3", from("43"), message("Hi {{Contact.firstName}}, {{User.firstName}} here")))
		byOwner, ownerID := w.process(w.call("103", from("owner"), template("tpl_4"), func(e *crm.Execute) { e.Module = crm.ModuleDeal }))
		must(t, w.Complete(ctx, "t_9", byBen.CallbackID))
		if got := w.completions(byBen.CallbackID); len(got) != 0 {
			t.Fatalf("completed %+v before anything was sent", got)
		}
		if got := w.message(ownerID).Text; got != "Hi Priya, the proposal for Dental front desk is in your inbox. Any questions, just text me back. Ben" {
			t.Errorf("the owner's text is %q", got)
		}
		w.runEngine()
		w.eventually("both sent", func() bool {
			return w.message(benID).State == ledger.Sent && w.message(ownerID).State == ledger.Sent
		})
		for _, e := range []crm.Execute{byBen, byOwner} {
			must(t, w.Complete(ctx, "t_9", e.CallbackID))
			got := w.completion(e.CallbackID)
			if got.State != crm.StateSuccess || got.Port != crm.PortSend || got.Severity != crm.SeverityNone || got.Outputs.Status != "sent" || got.Outputs.ErrorCode != "" {
				t.Errorf("completed with %+v", got)
			}
		}
		if m := w.message(benID); m.FromNumber != "+14155550101" || m.ToNumber != "+13125550114" || m.Text != "Hi Priya, Ben here" || m.UserID != "43" {
			t.Errorf("sent %+v", m)
		}
	})
}

func TestDialpadsWordsReachTheCRMVerbatim(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.phone.Fault(sandbox.Fault{Kind: sandbox.Forbidden, Path: "/api/v2/sms", Times: 1})
		e, id := w.process(w.call("7"))
		w.runEngine()
		w.eventually("refused", func() bool { return w.message(id).State == ledger.Failed })
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		m, got := w.message(id), w.completion(e.CallbackID)
		if m.ErrorText == "" || got.Outputs.ErrorText != m.ErrorText || got.Outputs.ErrorCode != "dialpad_refused" || got.Severity != crm.SeverityMedium {
			t.Errorf("Dialpad said %q, the CRM received %+v", m.ErrorText, got)
		}
	})
}

func TestChangesBeforeTheTextIsSentDecideItsOutcome(t *testing.T) {
	for _, c := range []struct {
		name, code, words, severity string
		change                      func(w *world)
	}{
		{"opted out", "opted_out", "Text Unsubscribed", crm.SeverityMedium, func(w *world) {
			_, err := w.db.Suppressions.Add(ctx, "t_9", "+14155550142", models.OptOutCRM, "")
			must(w.t, err)
		}},
		{"plan lost", "plan_required", connectWords, crm.SeverityHigh, func(w *world) { w.setPlan("starter") }},
		{"disconnected", "not_connected", connectWords, crm.SeverityHigh, func(w *world) { must(w.t, w.connections.Disconnect(ctx, "t_9", "42")) }},
		{"sender suspended", "no_account", "No Dialpad account found", crm.SeverityMedium, func(w *world) {
			w.phone.SuspendUser(sandbox.BenID)
			_, err := w.people.SyncDirectory(ctx, "t_9")
			must(w.t, err)
		}},
		{"sender has another e-mail", "no_account", "No Dialpad account found", crm.SeverityMedium, func(w *world) {
			must(w.t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "43", Email: "cleo@acme.com", Active: true}}))
		}},
		{"sender left the CRM", "no_account", "No Dialpad account found", crm.SeverityMedium, func(w *world) {
			w.host.Deactivate("acme", "43")
			must(w.t, w.db.Users.Deactivate(ctx, "t_9", "43"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				e, id := w.process(w.call("7", from("43")))
				c.change(w)
				w.runEngine()
				w.eventually("failed", func() bool { return w.message(id).State == ledger.Failed })
				must(t, w.Complete(ctx, "t_9", e.CallbackID))
				want := failedCompletion(id, c.code, c.words, c.severity)
				want.CallbackID = e.CallbackID
				if diff := cmp.Diff(want, w.completion(e.CallbackID)); diff != "" {
					t.Error(diff)
				}
				if n := w.phone.SMSPosts(); n != 0 {
					t.Errorf("%d texts left", n)
				}
			})
		})
	}
}

func TestUnknownOutcomeWaitsTenMinutesForItsEvent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		known, knownID := w.process(w.call("7"))
		undelivered, undeliveredID := w.process(w.call("2"))
		unknown, unknownID := w.process(w.call("4"))
		if got := w.settle(ledger.Outcome{State: ledger.Uncertain, Code: "outcome_unknown", Text: ledger.UnknownOutcome}); len(got) != 3 {
			t.Fatalf("claimed %d", len(got))
		}
		for _, e := range []crm.Execute{known, undelivered, unknown} {
			must(t, w.Complete(ctx, "t_9", e.CallbackID))
			if n := len(w.completions(e.CallbackID)); n != 0 {
				t.Fatal("an unknown outcome was completed at once")
			}
		}
		w.advance(knownID, ledger.EventEffect{State: ledger.Delivered})
		w.advance(undeliveredID, ledger.EventEffect{State: ledger.Undelivered, Code: "invalid_destination", Text: "This number can't receive texts"})
		for _, e := range []crm.Execute{known, undelivered} {
			must(t, w.Complete(ctx, "t_9", e.CallbackID))
		}
		if got := w.completion(known.CallbackID); got.State != crm.StateSuccess || got.Port != crm.PortSend {
			t.Errorf("the one that an event settled ended as %+v", got)
		}
		if got := w.completion(undelivered.CallbackID); got.Port != crm.PortFailed || got.Outputs.ErrorCode != "invalid_destination" || got.Outputs.ErrorText != "This number can't receive texts" {
			t.Errorf("the undelivered one ended as %+v", got)
		}
		w.clock.Add(9 * time.Minute)
		must(t, w.Complete(ctx, "t_9", unknown.CallbackID))
		if n := len(w.completions(unknown.CallbackID)); n != 0 {
			t.Fatal("an unknown outcome was completed after nine minutes")
		}
		w.clock.Add(time.Minute)
		must(t, w.Complete(ctx, "t_9", unknown.CallbackID))
		want := failedCompletion(unknownID, "outcome_unknown", ledger.UnknownOutcome, crm.SeverityMedium)
		want.CallbackID, want.Outputs.Status = unknown.CallbackID, "uncertain"
		if diff := cmp.Diff(want, w.completion(unknown.CallbackID)); diff != "" {
			t.Error(diff)
		}
		w.advance(unknownID, ledger.EventEffect{State: ledger.Delivered}) // too late for the workflow
		must(t, w.Complete(ctx, "t_9", unknown.CallbackID))
		w.completion(unknown.CallbackID)
	})
}

// advance applies an event about an uncertain text.
func (w *world) advance(id string, p ledger.EventEffect) {
	w.t.Helper()
	p.From = []string{ledger.Uncertain}
	moved, err := w.db.Messages.ApplyEvent(ctx, "t_9", id, p)
	if err != nil || !moved {
		w.t.Fatalf("the event moved %v, %v", moved, err)
	}
}

func TestAcceptedTextIsASuccessThoughUndeliveredLater(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, id := w.process(w.call("7"))
		w.settle(ledger.Outcome{State: ledger.Sent})
		moved, err := w.db.Messages.ApplyEvent(ctx, "t_9", id, ledger.EventEffect{State: ledger.Undelivered, Code: "rejected", From: []string{ledger.Sent}})
		if err != nil || !moved {
			t.Fatalf("undelivered: %v %v", moved, err)
		}
		must(t, w.Complete(ctx, "t_9", e.CallbackID))
		if got := w.completion(e.CallbackID); got.State != crm.StateSuccess || got.Outputs.ErrorCode != "" {
			t.Errorf("ended as %+v", got)
		}
	})
}
