package batch_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"dialpad-texting/app/batch"
	"dialpad-texting/app/walltime"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestCreateQueuesAOneToOneRendered(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ana", "7", "(415) 555-0142"), "k1", Text("Hi {{Contact.firstName}} of {{Company.name}}, {{User.firstName}}"))
		if v.State != ledger.BatchSending || v.Source != ledger.SourceOneToOne || v.Counts.Queued != 1 || v.Counts.Total != 1 || v.ETA == nil ||
			v.To == nil || v.To.Name != "Bob Tanaka" || v.Text != "Hi {{Contact.firstName}} of {{Company.name}}, {{User.firstName}}" {
			t.Errorf("answered %+v", v)
		}
		m := w.Rows(v.ID)[0]
		if m.Text != "Hi Bob of Tanaka Marine, Ana" || m.ToNumber != Bob || m.ContactID != "7" || m.SenderID != "1" || m.Class != ledger.ClassOneToOne || m.Segments != 1 {
			t.Errorf("queued %+v", m)
		}
		if w.Notified.Load() != 1 {
			t.Errorf("the worker was notified %d times", w.Notified.Load())
		}
		w.Settle(ledger.Sent, w.Claim()...)
		if v := w.MustView(v.ID); v.State != ledger.BatchDone || v.Counts.Sent != 1 || v.FinishedAt == nil || v.ETA != nil {
			t.Errorf("after sending: %+v", v)
		}
	})
}

func TestCreateTextsTheClickedNumber(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ana", "7", "+12125550199"), "k1", Text("Hi"))
		if m := w.Rows(v.ID)[0]; m.ToNumber != "+12125550199" || m.Name != "Bob Tanaka" {
			t.Errorf("texted %s at %s", m.Name, m.ToNumber)
		}
	})
}

func TestCreateRefusesAndStoresNothing(t *testing.T) {
	cases := map[string]struct {
		who, contact, number, text string
		before                     func(w *World)
		code, words                string
	}{
		"opted out in the CRM":      {who: "ana", contact: "8", number: "+14045550121", text: "Hi", code: "opted_out", words: "Unsubscribed from Text"},
		"opted out here":            {who: "ana", contact: "7", number: Bob, text: "Hi", before: func(w *World) { w.Suppress(Bob, models.OptOutReply) }, code: "opted_out", words: "Unsubscribed from Text"},
		"no number":                 {who: "ana", contact: "40", number: "", text: "Hi", code: "no_number", words: "No number in this field"},
		"not a number":              {who: "ana", contact: "13", number: "555-0127", text: "Hi", code: "invalid_number", words: "Not a valid number"},
		"empty field":               {who: "ana", contact: "9", number: "+15035550122", text: "Hi {{Contact.firstName}}", code: "empty_field", words: "{{Contact.firstName}} is empty"},
		"unknown field":             {who: "ana", contact: "7", number: Bob, text: "Hi {{Contact.fristName}}", code: "unknown_field", words: "There is no field {{Contact.fristName}}. Did you mean {{Contact.firstName}}?"},
		"template error":            {who: "ana", contact: "7", number: Bob, text: "Hi {{Contact.firstName", code: "template_invalid", words: "*"},
		"nothing written":           {who: "ana", contact: "7", number: Bob, text: " \n ", code: "empty_message", words: "The text is empty."},
		"too long":                  {who: "ana", contact: "7", number: Bob, text: strings.Repeat("a", 1501), code: "too_long", words: "The text is longer than 1,500 characters."},
		"record missing":            {who: "ana", contact: "404", number: Bob, text: "Hi", code: "missing", words: "The record no longer exists"},
		"record hidden":             {who: "ben", contact: "54", number: "+14155550176", text: "Hi", code: "forbidden", words: "You may not see this record"},
		"no account":                {who: "cleo", contact: "7", number: Bob, text: "Hi", code: "no_account", words: "No Dialpad account found"},
		"an account, but no number": {who: "dan", contact: "7", number: Bob, text: "Hi", code: "no_account", words: "No Dialpad account found"},
		"suspended":                 {who: "ben", contact: "7", number: Bob, text: "Hi", before: func(w *World) { w.SetAccount("2", "ben@acme.com", models.AccountSuspended) }, code: "no_account", words: "No Dialpad account found"},
		"plan lost":                 {who: "ana", contact: "7", number: Bob, text: "Hi", before: func(w *World) { w.Clock.Add(time.Second); w.SetPlan("starter") }, code: "plan_required", words: ConnectMessage},
		"disconnected":              {who: "ana", contact: "7", number: Bob, text: "Hi", before: func(w *World) { Must(w.T, w.DB.Connections.Disconnect(Ctx, "t_9")) }, code: "not_connected", words: ConnectMessage},
		"late without a rule":       {who: "ana", contact: "7", number: Bob, text: "late", code: "bad_request", words: "A late text can be held, dropped or sent."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				if c.before != nil {
					c.before(w)
				}
				r := Text(c.text)
				if c.text == "late" {
					r.Late = &batch.Late{AfterMinutes: 60, Do: "wait"}
				}
				_, err := w.Create(Ctx, w.One(c.who, c.contact, c.number), "k1", r)
				code, words := Refusal(err)
				if code != c.code || c.words != "*" && words != c.words {
					t.Errorf("refused with %s: %s", code, words)
				}
				if w.CountBatches() != 0 || len(w.Claim()) != 0 {
					t.Error("something was stored")
				}
			})
		})
	}
}

func TestCreateWaitsWhileTheCRMFails(t *testing.T) {
	const down, unreadable = "Waiting for Salesmate, which is not answering", "Salesmate gives these records in a form that can't be read; it is asked again"
	for kind, words := range map[string]string{crmsandbox.FaultDown: down, crmsandbox.FaultError: down, crmsandbox.FaultGarbageHTML: unreadable, crmsandbox.FaultGarbageJSON: unreadable} {
		t.Run(kind, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				w.Host.Break(crmsandbox.Fault{Type: "records.resolve", Kind: kind})
				v := w.MustCreate(w.One("ana", "7", Bob), "k1", Text("Hi {{Contact.firstName}}"))
				if v.State != ledger.BatchPreparing || v.Counts.Queued != 1 || len(w.Claim()) != 0 {
					t.Fatalf("answered %+v", v)
				}
				if _, err := w.Prepare(Ctx, "t_9", v.ID); err == nil {
					t.Fatal("prepared without the CRM")
				}
				if v = w.MustView(v.ID); v.State != ledger.BatchPreparing || v.Reason == nil || *v.Reason != words {
					t.Errorf("while it is down: %+v", v)
				}
				w.Host.Mend()
				if n, err := w.Prepare(Ctx, "t_9", v.ID); err != nil || n.Queued != 1 {
					t.Fatalf("prepared %+v, %v", n, err)
				}
				if v = w.MustView(v.ID); v.State != ledger.BatchSending || v.Reason != nil {
					t.Errorf("when it is back: %+v", v)
				}
				if got := w.Claim(); len(got) != 1 || got[0].Text != "Hi Bob" {
					t.Errorf("claimed %+v", got)
				}
			})
		})
	}
}

func TestOptOutWhileWaitingForTheCRM(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
		v := w.MustCreate(w.One("ana", "7", Bob), "k1", Text("Hi"))
		w.Host.Mend()
		w.Host.OptOut("t_9", Bob)
		_, err := w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if v = w.MustView(v.ID); v.State != ledger.BatchDone || v.Counts.Skipped != 1 || v.FinishedAt == nil || len(w.Claim()) != 0 {
			t.Errorf("ended as %+v", v)
		}
		if m := w.Rows(v.ID)[0]; m.ErrorText != "Unsubscribed from Text" || m.Text != "" {
			t.Errorf("the row is %+v", m)
		}
	})
}

func TestIdempotencyKeyUnderConcurrency(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		a := w.One("ana", "7", Bob)
		ids, errs := make([]string, 20), make([]error, 20)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				v, err := w.Create(Ctx, a, "same", Text("Hi {{Contact.firstName}}"))
				ids[i], errs[i] = v.ID, err
			})
		}
		wg.Wait()
		for i := range ids {
			if errs[i] != nil || ids[i] != ids[0] {
				t.Errorf("request %d answered %s, %v", i, ids[i], errs[i])
			}
		}
		if w.CountBatches() != 1 || len(w.Rows(ids[0])) != 1 || len(w.Claim()) != 1 {
			t.Errorf("%d batches", w.CountBatches())
		}
	})
}

func TestIdempotencyKeyIsPerUserAndBody(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		first := w.MustCreate(w.One("ana", "7", Bob), "k1", Text("Hi"))
		for name, again := range map[string]func() (ledger.Batch, error){
			"another text": func() (ledger.Batch, error) { return w.Create(Ctx, w.One("ana", "7", Bob), "k1", Text("Hello")) },
			"another person": func() (ledger.Batch, error) {
				return w.Create(Ctx, w.One("ana", "2", "+12125550112"), "k1", Text("Hi"))
			},
			"another time": func() (ledger.Batch, error) {
				r := Text("Hi")
				r.Schedule = &walltime.Schedule{Local: "2026-03-03T09:00", TimeZone: "America/New_York"}
				return w.Create(Ctx, w.One("ana", "7", Bob), "k1", r)
			},
		} {
			if _, err := again(); err == nil {
				t.Errorf("%s: no conflict", name)
			} else if code, _ := Refusal(err); code != "idempotency_conflict" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if v := w.MustCreate(w.One("ben", "7", Bob), "k1", Text("Hello")); v.ID == first.ID {
			t.Error("another user got Ana's batch")
		}
		// An answer that was lost can be asked for again, whatever has
		// changed since.
		w.Settle(ledger.Sent, w.Claim()...)
		w.Clock.Add(time.Second)
		w.SetPlan("starter")
		if v := w.MustCreate(w.One("ana", "7", Bob), "k1", Text("Hi")); v.ID != first.ID || v.Counts.Sent != 1 {
			t.Errorf("asked again: %+v", v)
		}
	})
}

func TestAnotherKeyTextsTheSamePersonAgain(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.MustCreate(w.One("ana", "7", Bob), "k1", Text("Hi"))
		w.MustCreate(w.One("ana", "7", Bob), "k2", Text("Hi"))
		if got := w.Claim(); len(got) != 1 {
			t.Errorf("%d on the wire to one number at once", len(got))
		}
		if w.CountBatches() != 2 {
			t.Errorf("%d batches", w.CountBatches())
		}
	})
}
