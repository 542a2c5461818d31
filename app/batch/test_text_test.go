package batch_test

import (
	"testing"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/batch"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const own = "+16465550111" // Ana's mobile phone

func sendTest(w *World, a access.Asker, key string, r batch.TestRequest) (ledger.Batch, error) {
	return batch.Tests{Batches: w.Batches}.Send(Ctx, a, key, r)
}

func TestATestIsFilledInAsForThePersonAndGoesToTheAsker(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		r := batch.TestRequest{Message: "Hi {{Contact.firstName}}", To: "(646) 555-0111"}
		b, err := sendTest(w, w.One("ana", "7", Bob), "k1", r)
		Must(t, err)
		again, err := sendTest(w, w.One("ana", "7", Bob), "k1", r)
		Must(t, err)
		rows := w.Rows(b.ID)
		if again.ID != b.ID || len(rows) != 1 || b.Source != ledger.SourceTest {
			t.Fatalf("%s and %s, %d texts, source %s", b.ID, again.ID, len(rows), b.Source)
		}
		m := rows[0]
		if m.Text != "Hi Bob" || m.ToNumber != own || m.ContactID != "" || m.RecordID != "" || m.Class != ledger.ClassOneToOne || m.State != ledger.Queued {
			t.Errorf("queued %+v", m)
		}
		if v := w.MustView(b.ID); v.To == nil || v.To.Name == "Bob Tanaka" {
			t.Errorf("shown as %+v", v.To)
		}
		if _, err := w.Batches.Duplicate(Ctx, w.Page("ana"), b.ID, "k2", batch.Request{}); err == nil {
			t.Error("a test was duplicated")
		}
		w.Settle(ledger.Delivered, w.Claim()...)
		figures, err := w.DB.Figures.Sum(Ctx, "t_9", "", "day", "2000-01-01", "2100-01-01")
		Must(t, err)
		if len(figures) != 0 {
			t.Errorf("a test is among the figures: %+v", figures)
		}
	})
}

func TestATestOfABulkNamesWhoseValuesItHas(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		bulk := w.Bulk("ana", crm.ModuleContact, "7", "2")
		r := batch.TestRequest{Message: "Hi {{Contact.firstName}}", To: own, RecordID: "7"}
		b, err := sendTest(w, bulk, "k1", r)
		Must(t, err)
		if m := w.Rows(b.ID)[0]; m.Text[:6] != "Hi Bob" || m.ToNumber != own {
			t.Errorf("queued %+v", m)
		}
		r.RecordID = "9"
		if _, err := sendTest(w, bulk, "k2", r); err == nil {
			t.Error("somebody else's values were filled in")
		}
	})
}

func TestATestIsRefusedAsOtherTexts(t *testing.T) {
	for name, c := range map[string]struct {
		who, to, text, code string
		before              func(w *World)
	}{
		"no account":          {who: "cleo", to: own, text: "Hi", code: "no_account"},
		"plan lost":           {who: "ana", to: own, text: "Hi", code: "plan_required", before: func(w *World) { w.SetPlan("starter") }},
		"opted out":           {who: "ana", to: own, text: "Hi", code: "opted_out", before: func(w *World) { w.Suppress(own, models.OptOutReply) }},
		"the sender's number": {who: "ana", to: "+14155550100", text: "Hi", code: apierror.CodeBadRequest},
		"the person's number": {who: "ana", to: Bob, text: "Hi", code: apierror.CodeBadRequest},
		"no number":           {who: "ana", to: "555", text: "Hi", code: "invalid_number"},
		"nothing written":     {who: "ana", to: own, text: " ", code: "empty_message"},
		"a field that is not": {who: "ana", to: own, text: "{{Contact.fristName}}", code: "unknown_field"},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				if c.before != nil {
					c.before(w)
				}
				before := w.CountBatches()
				_, err := sendTest(w, w.One(c.who, "7", Bob), "k1", batch.TestRequest{Message: c.text, To: c.to})
				if code, _ := Refusal(err); code != c.code {
					t.Errorf("answered %v", err)
				}
				if w.CountBatches() != before {
					t.Error("a batch was stored")
				}
			})
		})
	}
}

func TestAnErasureFindsWhatATestSaysOfAPerson(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		b, err := sendTest(w, w.One("ana", "7", Bob), "k1", batch.TestRequest{Message: "Hi {{Contact.firstName}}", To: own})
		Must(t, err)
		numbers, err := w.DB.NumbersOfContact(Ctx, "t_9", "7")
		Must(t, err)
		if len(numbers) != 0 {
			t.Errorf("the asker's number counts as the person's: %v", numbers)
		}
		Must(t, w.DB.Tx(Ctx, func(tx *models.Store) error { return tx.EraseContact(Ctx, "t_9", "7") }))
		if m := w.Rows(b.ID)[0]; m.Text != "" || m.State != ledger.Cancelled {
			t.Errorf("left %+v", m)
		}
		if row := w.Row(b.ID); row.Message != "" {
			t.Errorf("left %q", row.Message)
		}
	})
}
