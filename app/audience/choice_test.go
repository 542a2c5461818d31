package audience_test

import (
	"testing"

	"dialpad-texting/app/audience"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
)

func TestWhoHasNoUsableNumberIsReachedAtTheSecondField(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		// 22 has a work phone alone, 26 no usable number, 8 opted out.
		a := w.Bulk("ana", crm.ModuleContact, "7", "22", "26", "8")
		preview := func(elseField string) (will int, excluded map[string]audience.Exclusion) {
			t.Helper()
			v, err := w.Preview(Ctx, a, audience.PreviewRequest{Message: "Hi", ElseField: elseField})
			Must(t, err)
			excluded = map[string]audience.Exclusion{}
			for _, e := range v.Excluded {
				excluded[e.RecordID] = e
			}
			return v.WillReceive, excluded
		}
		will, excluded := preview("")
		if will != 1 || excluded["22"].Code != "no_number" || excluded["26"].Value != "n/a" || excluded["22"].Value != "" {
			t.Errorf("one field: %d, %+v", will, excluded)
		}
		will, excluded = preview("work")
		if will != 2 || excluded["22"].Code != "" || excluded["8"].Code != "opted_out" {
			t.Errorf("two fields: %d, %+v", will, excluded)
		}
		r := Text("Hi")
		r.ElseField = "work"
		v := w.MustPrepare(a, "k1", r)
		numbers := map[string]string{}
		for _, m := range w.Rows(v.ID) {
			numbers[m.RecordID] = m.ToNumber
		}
		if v.ElseField != "work" || v.Counts.Queued != 2 || numbers["22"] != "+17025550138" || numbers["7"] != Bob {
			t.Errorf("prepared: %+v, %v", v.Counts, numbers)
		}
		if _, err := w.Preview(Ctx, a, audience.PreviewRequest{Message: "Hi", ElseField: "fax"}); err == nil {
			t.Error("a field that does not exist")
		}
	})
}

func TestPreviewLeavesPeopleOut(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v, err := w.Preview(Ctx, w.Bulk("ana", crm.ModuleContact, "7", "20"), audience.PreviewRequest{Message: "Hi", Exclude: []string{"20"}})
		Must(t, err)
		if v.WillReceive != 1 || len(v.Excluded) != 1 || v.Excluded[0].Code != audience.CodeLeftOut || v.Excluded[0].Name == "" {
			t.Errorf("%d, %+v", v.WillReceive, v.Excluded)
		}
	})
}

func TestADealWithoutAContactSaysSo(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v, err := w.Preview(Ctx, w.Bulk("ana", crm.ModuleDeal, "121", "107"), audience.PreviewRequest{Message: "Hi"})
		Must(t, err)
		if len(v.Excluded) != 1 || v.Excluded[0].Code != audience.CodeNoContact || v.Excluded[0].Reason != "This deal has no contact" {
			t.Errorf("%+v", v.Excluded)
		}
	})
}
