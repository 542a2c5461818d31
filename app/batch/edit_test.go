package batch_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/batch"
	"dialpad-texting/app/outbox"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

// editExclude leaves records out of a scheduled batch.
func editExclude(w *World, id string, records ...string) (outbox.BatchView, error) {
	return w.ViewOf(w.Edit(Ctx, w.Page("ana"), id, batch.EditRequest{Exclude: &records}))
}

func TestEditExcludesRecipients(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "1", "2", "7", "20"), "k1", w.Later(time.Hour))
		out, err := editExclude(w, v.ID, "7", "20", "7")
		Must(t, err)
		w.CheckCounts(out)
		if out.Counts.Queued != 2 || out.Counts.Skipped != 2 || !cmp.Equal(out.Exclude, []string{"7", "20"}) {
			t.Errorf("%+v, %v", out.Counts, out.Exclude)
		}
		if out, err = editExclude(w, v.ID, "7"); err != nil || out.Counts.Queued != 3 { // Finn is in again
			t.Errorf("%+v, %v", out.Counts, err)
		}
		w.Clock.Add(time.Hour)
		w.MustStartDue()
		_, err = w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		for _, m := range w.Rows(v.ID) {
			if leftOut := m.ErrorCode == "left_out"; leftOut != (m.RecordID == "7") || leftOut && (m.State != ledger.Skipped || m.Text != "") {
				t.Errorf("%s is %s: %s", m.RecordID, m.State, m.ErrorText)
			}
		}
		sent := w.Claim()
		if len(sent) != 3 || slices.ContainsFunc(sent, func(c ledger.ClaimedMessage) bool { return c.ToNumber == Bob }) {
			t.Errorf("%d went", len(sent))
		}
		if _, err = editExclude(w, v.ID, "1"); err == nil {
			t.Error("left out after it started")
		}
	})
}

func TestEditExcludesFromAnyPageOfASelection(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.Seed(940, 0)
		a := w.Selection("ana", crm.ModuleContact, "")
		v := w.MustCreate(a, "k1", w.Later(time.Hour))
		whole := w.MustPrepare(a, "k2", Text(Hi))
		list := w.Rows(whole.ID)
		first, last := list[0], list[len(list)-1]
		_, err := editExclude(w, v.ID, first.RecordID, last.RecordID)
		Must(t, err)
		w.Clock.Add(time.Hour)
		w.MustStartDue()
		_, err = w.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		var out []string
		for _, m := range w.Rows(v.ID) {
			if m.ErrorCode == "left_out" {
				out = append(out, m.RecordID)
			}
		}
		slices.Sort(out)
		want := []string{first.RecordID, last.RecordID}
		slices.Sort(want)
		if !cmp.Equal(out, want) || w.MustView(v.ID).Counts.Total != whole.Counts.Total {
			t.Errorf("left out %v, want %v", out, want)
		}
	})
}

func TestEditRefusesInvalidExcludes(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", w.Later(time.Hour))
		one := w.MustCreate(w.One("ana", "7", Bob), "k2", w.Later(time.Hour))
		for name, c := range map[string]struct {
			id      string
			records []string
		}{"everybody": {v.ID, []string{"7", "20"}}, "a stranger": {v.ID, []string{"1"}}, "nobody": {v.ID, []string{""}}, "the only one": {one.ID, []string{"7"}}} {
			_, err := editExclude(w, c.id, c.records...)
			if code, _ := Refusal(err); code != "bad_request" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if out, err := editExclude(w, v.ID); err != nil || out.Counts.Queued != 2 || len(out.Exclude) != 0 {
			t.Errorf("everybody in again: %+v, %v", out.Counts, err)
		}
	})
}

func TestEditKeepsWhatItDoesNotName(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		r := w.Later(time.Hour)
		r.Late = &batch.Late{AfterMinutes: 10, Do: "drop"}
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", r)
		_, err := editExclude(w, v.ID, "7")
		Must(t, err)
		text := "Another text"
		e, err := w.ViewOf(w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{Message: &text}))
		Must(t, err)
		if e.Text != text || !cmp.Equal(e.Schedule, v.Schedule) || !cmp.Equal(e.Late, v.Late) || !e.SendAt.Equal(*v.SendAt) || len(e.Exclude) != 1 {
			t.Errorf("%+v", e)
		}
	})
}

func TestMessagesForecastAScheduledBulk(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "8", "9", "20"), "k1", w.Later(time.Hour))
		_, err := editExclude(w, v.ID, "20")
		Must(t, err)
		texts := func(state string) map[string]string {
			t.Helper()
			out := map[string]string{}
			list, err := w.Messages(Ctx, w.Page("ana"), v.ID, state, "", "")
			Must(t, err)
			for _, m := range list.Messages {
				if out[m.RecordID] = m.State + ": " + m.Text + m.ErrorText; m.ID != "" || m.Name == "" {
					t.Errorf("%+v", m)
				}
			}
			return out
		}
		left := map[string]string{"8": "skipped: Unsubscribed from Text", "20": "skipped: Removed before sending"}
		got := map[string]string{"7": "queued: Hi Bob", "9": texts("")["9"]}
		maps.Copy(got, left)
		if diff := cmp.Diff(got, texts("")); diff != "" {
			t.Error(diff)
		}
		skipped := texts("skipped")
		if skipped["20"] != left["20"] || skipped["8"] != left["8"] || skipped["7"] != "" {
			t.Errorf("skipped: %v", skipped)
		}
		if _, err := w.Messages(Ctx, w.Page("ana"), v.ID, "", "", "ids:99:"); err == nil {
			t.Error("a page that is not there")
		} else if code, _ := Refusal(err); code != "bad_request" {
			t.Error(err)
		}
		if _, err := w.Messages(Ctx, w.Page("ben"), v.ID, "", "", ""); err == nil {
			t.Error("another user's")
		}
	})
}
