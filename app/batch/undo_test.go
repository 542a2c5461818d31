package batch_test

import (
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

func TestABulkCanBeUndoneBeforeItsFirstTextLeaves(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		r := Text(Hi)
		r.Undo = 10
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", r)
		w.Clock.Add(9 * time.Second)
		if n := len(w.Claim()); n != 0 || v.Counts.Queued != 2 {
			t.Fatalf("after 9 s %d texts left, %+v", n, v.Counts)
		}
		v = w.MustDo(w.Cancel, v.ID)
		w.MustApplyState(v.ID)
		w.Clock.Add(time.Minute)
		if v = w.MustView(v.ID); v.State != ledger.BatchCancelled || v.Counts.Cancelled != 2 || len(w.Claim()) != 0 {
			t.Errorf("undone: %s, %+v", v.State, v.Counts)
		}
	})
}

func TestABulkThatIsNotUndoneGoesOut(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		r := Text(Hi)
		r.Undo = 10
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", r)
		w.Clock.Add(10 * time.Second)
		if n := len(w.Claim()); n != 2 {
			t.Errorf("after 10 s %d texts left", n)
		}
		if v = w.MustView(v.ID); v.Schedule != nil {
			t.Errorf("it is scheduled: %+v", v.Schedule)
		}
	})
}

// A long bulk is not late: its minutes of waiting are its pace.
func TestTheLateRuleDoesNotHoldABulkThatCouldBeUndone(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		r := Text(Hi)
		r.Undo = 10
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", r)
		w.Clock.Add(2 * time.Hour)
		if n := len(w.Claim()); n != 2 {
			t.Errorf("after two hours %d texts left, %s", n, w.MustView(v.ID).State)
		}
	})
}

func TestWithoutUndoABulkLeavesAtOnce(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", Text(Hi))
		if n := len(w.Claim()); n != 2 {
			t.Errorf("%d texts left", n)
		}
		for name, undo := range map[string]int{"too long": 61, "negative": -1} {
			r := Text(Hi)
			r.Undo = undo
			_, err := w.Create(Ctx, w.Bulk("ana", crm.ModuleContact, "7"), name, r)
			if code, _ := Refusal(err); code == "" {
				t.Errorf("%s was taken", name)
			}
		}
	})
}

func TestABulkLeavesPeopleOutFromTheStart(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		r := Text(Hi)
		r.Exclude = []string{"20", "20"}
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", r)
		if got := w.Outcomes(v.ID); got["20"] != "left_out: Removed before sending" || v.Counts.Queued != 1 {
			t.Errorf("%v", got)
		}
		for name, exclude := range map[string][]string{"everybody": {"7", "20"}, "a stranger": {"9999"}} {
			r.Exclude = exclude
			_, err := w.Create(Ctx, w.Bulk("ana", crm.ModuleContact, "7", "20"), name, r)
			if code, _ := Refusal(err); code == "" {
				t.Errorf("%s was taken", name)
			}
		}
	})
}
