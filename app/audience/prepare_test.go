package audience_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

func TestPrepareStoresATextOrAReasonPerRecipient(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		a := w.Bulk("ben", crm.ModuleContact, "7", "8", "9", "11", "13", "15", "16", "26", "54", "404", "29")
		w.Suppress("+14145550147", models.OptOutDialpad)
		v := w.MustPrepare(a, "k1", Text("Hi {{Contact.firstName}}, it is {{User.firstName}}"))
		want := map[string]string{
			"7": "Hi Bob, it is Ben", "8": "opted_out: Unsubscribed from Text", "9": "empty_field: {{Contact.firstName}} is empty",
			"11": "no_number: No number in this field", "13": "invalid_number: Not a valid number", "15": "Hi Sam, it is Ben",
			"16": "duplicate: Same number as Sam Whitcombe", "26": "invalid_number: Not a valid number",
			"54": "forbidden: You may not see this record", "404": "missing: The record no longer exists", "29": "opted_out: Unsubscribed from Text",
		}
		if d := cmp.Diff(want, w.Outcomes(v.ID)); d != "" {
			t.Error(d)
		}
		if v.State != ledger.BatchSending || v.Counts.Queued != 2 || v.Counts.Skipped != 9 || v.Counts.Total != 11 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		w.Settle(ledger.Sent, w.Claim()...)
		if v = w.MustView(v.ID); v.State != ledger.BatchDone || v.Counts.Sent != 2 {
			t.Errorf("afterwards %s, %+v", v.State, v.Counts)
		}
	})
}

func TestPrepareTextsTheContactOfADeal(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleDeal, "101", "107", "108", "109", "111", "121", "999"), "k1", Text("{{Deal.title}} for {{Contact.firstName}}: {{Deal.value}}"))
		want := map[string]string{
			"101": "Harbor fleet renewal for Marta: $48,000", "107": "Marine parts 2027 for Bob: $64,000",
			"108": "duplicate: Same number as Bob Tanaka (Marine parts 2027)", "109": "opted_out: Unsubscribed from Text",
			"111": "no_number: No number in this field", "121": "no_contact: This deal has no contact", "999": "missing: The record no longer exists",
		}
		if d := cmp.Diff(want, w.Outcomes(v.ID)); d != "" {
			t.Error(d)
		}
		for _, m := range w.Rows(v.ID) {
			if m.RecordID == "107" && (m.ContactID != "7" || m.DealID != "107" || m.Name != "Bob Tanaka" || m.Deal != "Marine parts 2027" || m.ToNumber != Bob) {
				t.Errorf("the row of a deal is %+v", m)
			}
		}
	})
}

func TestPrepareTakesTheNumberFromToField(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		r := Text("Hi")
		r.ToField = "work"
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "1", "2", "3"), "k1", r)
		if d := cmp.Diff(map[string]string{"1": "Hi", "2": "no_number: No number in this field", "3": "Hi"}, w.Outcomes(v.ID)); d != "" {
			t.Error(d)
		}
		if m := w.Rows(v.ID)[0]; m.ToNumber != "+12065550111" {
			t.Errorf("to %s", m.ToNumber)
		}
		r.ToField = "fax"
		if _, err := w.Create(Ctx, w.Bulk("ana", crm.ModuleContact, "1"), "k2", r); err == nil {
			t.Error("texted a field that is none")
		}
	})
}

func TestPrepareAppendsTheOptOutLineToBulks(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, OptOutLine: "Reply STOP to opt out."}))
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7"), "k1", Text("Hi {{Contact.firstName}}"))
		if got := w.Rows(v.ID)[0].Text; got != "Hi Bob\nReply STOP to opt out." {
			t.Errorf("text %q", got)
		}
		one := w.MustCreate(w.One("ana", "7", Bob), "k2", Text("Hi"))
		if got := w.Rows(one.ID)[0].Text; got != "Hi" {
			t.Errorf("one to one %q", got)
		}
	})
}

func TestPrepareRereadsValuesAndOptOuts(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "1", "2", "7", "20"), "k1", Text(Hi))
		w.Host.SetNumber("t_9", "1", "mobile", "+14155550188")
		w.Host.OptOut("t_9", Bob)
		w.Host.DeleteContact("t_9", "2")
		_, err := w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		want := map[string]string{"1": "Hi Marta", "2": "missing: The record no longer exists", "7": "opted_out: Unsubscribed from Text", "20": "Hi Finn"}
		if d := cmp.Diff(want, w.Outcomes(v.ID)); d != "" {
			t.Error(d)
		}
		for _, m := range w.Rows(v.ID) {
			if m.RecordID == "1" && m.ToNumber != "+14155550188" {
				t.Errorf("to the old number %s", m.ToNumber)
			}
		}
	})
}

func TestPrepareFinishesABatchWithoutRecipients(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "8", "11"), "k1", Text(Hi))
		if v.State != ledger.BatchDone || v.FinishedAt == nil || v.Counts.Skipped != 2 || v.ETA != nil {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
	})
}

func TestPrepareStoresARepeatedRecordOnce(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20", "7"), "k1", Text(Hi))
		if v.Counts.Queued != 2 || v.Counts.Total != 2 {
			t.Errorf("%+v", v.Counts)
		}
	})
}

func TestPrepareChecksTheSenderAgain(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		gone := w.MustCreate(w.Bulk("ben", crm.ModuleContact, "7", "8"), "k1", Text(Hi))
		w.SetAccount("2", "ben@acme.com", models.AccountSuspended)
		_, err := w.Prepare(Ctx, "t_9", gone.ID)
		Must(t, err)
		if v := w.MustView(gone.ID); v.State != ledger.BatchDone || v.Counts.Failed != 1 || v.Counts.Skipped != 1 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		if m := w.Rows(gone.ID)[0]; m.ErrorText != "No Dialpad account found" && w.Rows(gone.ID)[1].ErrorText != "No Dialpad account found" {
			t.Errorf("failed with %q", m.ErrorText)
		}
		held := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "8"), "k2", Text(Hi))
		w.Clock.Add(1)
		w.SetPlan("starter")
		if _, err := w.Prepare(Ctx, "t_9", held.ID); err != nil {
			t.Fatal(err)
		}
		if v := w.MustView(held.ID); v.State != ledger.BatchHeld || *v.Reason != ConnectMessage || v.Counts.Held != 2 || w.Row(held.ID).HeldCode != ledger.HeldPlan {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
	})
}

func TestPrepareNeverQueuesMergeFields(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.Seed(1, 0)
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "9"), "k1", Text("Hi {{Contact.firstName}} {{Contact.title|}}."))
		Must(t, w.DB.Batches.Update(Ctx, "t_9", v.ID, []string{ledger.BatchPreparing}, map[string]any{"message": "Hi {{Contact.firstName"}))
		if _, err := w.Prepare(Ctx, "t_9", v.ID); err != nil {
			t.Fatal(err)
		}
		for _, c := range w.Claim() {
			if strings.Contains(c.Text, "{{") {
				t.Errorf("claimed %q", c.Text)
			}
		}
		if v := w.MustView(v.ID); v.State != ledger.BatchCancelled || v.Counts.Cancelled != 2 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
	})
}
