package texting_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const hi = "Hi {{Contact.firstName|there}}"

// became are a batch's rows by record: the text, or the reason why there is none.
func (w *world) became(batch string) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	for _, m := range w.messages(batch) {
		if _, twice := out[m.RecordID]; twice {
			w.t.Errorf("record %s has two rows", m.RecordID)
		}
		out[m.RecordID] = m.Text
		if m.State == ledger.Skipped {
			out[m.RecordID] = m.ErrorCode + ": " + m.ErrorText
		}
	}
	return out
}

func TestEachRecipientGetsATextOrAReason(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.bulk("ben", crm.ModuleContact, "7", "8", "9", "11", "13", "15", "16", "26", "54", "404", "29")
		w.suppress("+14145550147", models.OptOutDialpad)
		v := w.prepared(a, "k1", says("Hi {{Contact.firstName}}, it is {{User.firstName}}"))
		want := map[string]string{
			"7": "Hi Bob, it is Ben", "8": "opted_out: Unsubscribed from Text", "9": "empty_field: {{Contact.firstName}} is empty",
			"11": "no_number: No number in this field", "13": "invalid_number: Not a valid number", "15": "Hi Sam, it is Ben",
			"16": "duplicate: Same number as Sam Whitcombe", "26": "invalid_number: Not a valid number",
			"54": "forbidden: You may not see this record", "404": "missing: The record no longer exists", "29": "opted_out: Unsubscribed from Text",
		}
		if d := cmp.Diff(want, w.became(v.ID)); d != "" {
			t.Error(d)
		}
		if v.State != ledger.BatchSending || v.Counts.Queued != 2 || v.Counts.Skipped != 9 || v.Counts.Total != 11 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		w.settle(ledger.Sent, w.claim()...)
		if v = w.view(v.ID); v.State != ledger.BatchDone || v.Counts.Sent != 2 {
			t.Errorf("afterwards %s, %+v", v.State, v.Counts)
		}
	})
}

func TestADealTextsItsPrimaryContact(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.prepared(w.bulk("ana", crm.ModuleDeal, "101", "107", "108", "109", "111", "121", "999"), "k1", says("{{Deal.title}} for {{Contact.firstName}}: {{Deal.value}}"))
		want := map[string]string{
			"101": "Harbor fleet renewal for Marta: $48,000", "107": "Marine parts 2027 for Bob: $64,000",
			"108": "duplicate: Same number as Bob Tanaka (Marine parts 2027)", "109": "opted_out: Unsubscribed from Text",
			"111": "no_number: No number in this field", "121": "no_number: No number in this field", "999": "missing: The record no longer exists",
		}
		if d := cmp.Diff(want, w.became(v.ID)); d != "" {
			t.Error(d)
		}
		for _, m := range w.messages(v.ID) {
			if m.RecordID == "107" && (m.ContactID != "7" || m.DealID != "107" || m.Name != "Bob Tanaka" || m.Deal != "Marine parts 2027" || m.ToNumber != bob) {
				t.Errorf("the row of a deal is %+v", m)
			}
		}
	})
}

func TestTheToFieldDecidesTheNumber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := says("Hi")
		r.ToField = "work"
		v := w.prepared(w.bulk("ana", crm.ModuleContact, "1", "2", "3"), "k1", r)
		if d := cmp.Diff(map[string]string{"1": "Hi", "2": "no_number: No number in this field", "3": "Hi"}, w.became(v.ID)); d != "" {
			t.Error(d)
		}
		if m := w.messages(v.ID)[0]; m.ToNumber != "+12065550111" {
			t.Errorf("to %s", m.ToNumber)
		}
		r.ToField = "fax"
		if _, err := w.Create(ctx, w.bulk("ana", crm.ModuleContact, "1"), "k2", r); err == nil {
			t.Error("texted a field that is none")
		}
	})
}

func TestABulkEndsWithTheOptOutLine(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.db.Tenants.SaveSettings(ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, OptOutLine: "Reply STOP to opt out."}))
		v := w.prepared(w.bulk("ana", crm.ModuleContact, "7"), "k1", says("Hi {{Contact.firstName}}"))
		if got := w.messages(v.ID)[0].Text; got != "Hi Bob\nReply STOP to opt out." {
			t.Errorf("text %q", got)
		}
		one := w.create(w.one("ana", "7", bob), "k2", says("Hi"))
		if got := w.messages(one.ID)[0].Text; got != "Hi" {
			t.Errorf("one to one %q", got)
		}
	})
}

func TestValuesAndOptOutsAreReadWhenPreparing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.bulk("ana", crm.ModuleContact, "1", "2", "7", "20"), "k1", says(hi))
		w.host.SetNumber("t_9", "1", "mobile", "+14155550188")
		w.host.OptOut("t_9", bob)
		w.host.DeleteContact("t_9", "2")
		_, err := w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		want := map[string]string{"1": "Hi Marta", "2": "missing: The record no longer exists", "7": "opted_out: Unsubscribed from Text", "20": "Hi Finn"}
		if d := cmp.Diff(want, w.became(v.ID)); d != "" {
			t.Error(d)
		}
		for _, m := range w.messages(v.ID) {
			if m.RecordID == "1" && m.ToNumber != "+14155550188" {
				t.Errorf("to the old number %s", m.ToNumber)
			}
		}
	})
}

func TestABulkWhereNobodyCanBeTextedIsDone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.prepared(w.bulk("ana", crm.ModuleContact, "8", "11"), "k1", says(hi))
		if v.State != ledger.BatchDone || v.FinishedAt == nil || v.Counts.Skipped != 2 || v.ETA != nil {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
	})
}

func TestRecordsNamedTwiceAreOneRow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.prepared(w.bulk("ana", crm.ModuleContact, "7", "20", "7"), "k1", says(hi))
		if v.Counts.Queued != 2 || v.Counts.Total != 2 {
			t.Errorf("%+v", v.Counts)
		}
	})
}

func TestPreparingAsksAgainWhoMaySend(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		gone := w.create(w.bulk("ben", crm.ModuleContact, "7", "8"), "k1", says(hi))
		w.account("2", "ben@acme.com", models.AccountSuspended)
		_, err := w.Prepare(ctx, "t_9", gone.ID)
		must(t, err)
		if v := w.view(gone.ID); v.State != ledger.BatchDone || v.Counts.Failed != 1 || v.Counts.Skipped != 1 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
		if m := w.messages(gone.ID)[0]; m.ErrorText != "No Dialpad account found" && w.messages(gone.ID)[1].ErrorText != "No Dialpad account found" {
			t.Errorf("failed with %q", m.ErrorText)
		}
		held := w.create(w.bulk("ana", crm.ModuleContact, "7", "8"), "k2", says(hi))
		w.clock.Add(1)
		w.plan("starter")
		if _, err := w.Prepare(ctx, "t_9", held.ID); err != nil {
			t.Fatal(err)
		}
		if v := w.view(held.ID); v.State != ledger.BatchHeld || *v.Reason != connectWords || v.Counts.Held != 2 || w.row(held.ID).HeldCode != ledger.HeldPlan {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
	})
}

func TestATemplateNeverLeavesRaw(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.Seed(1, 0)
		v := w.create(w.bulk("ana", crm.ModuleContact, "7", "9"), "k1", says("Hi {{Contact.firstName}} {{Contact.title|}}."))
		must(t, w.db.Batches.Update(ctx, "t_9", v.ID, []string{ledger.BatchPreparing}, map[string]any{"message": "Hi {{Contact.firstName"}))
		if _, err := w.Prepare(ctx, "t_9", v.ID); err != nil {
			t.Fatal(err)
		}
		for _, c := range w.claim() {
			if strings.Contains(c.Text, "{{") {
				t.Errorf("claimed %q", c.Text)
			}
		}
		if v := w.view(v.ID); v.State != ledger.BatchCancelled || v.Counts.Cancelled != 2 {
			t.Errorf("%s, %+v", v.State, v.Counts)
		}
	})
}
