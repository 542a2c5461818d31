package texting_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
)

// without leaves records out of a scheduled batch.
func (w *world) without(id string, records ...string) (texting.BatchView, error) {
	return w.Edit(ctx, w.page("ana"), id, texting.EditRequest{Exclude: &records})
}

func TestSingleRecipientsAreLeftOutBeforeItStarts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.bulk("ana", crm.ModuleContact, "1", "2", "7", "20"), "k1", w.later(time.Hour))
		out, err := w.without(v.ID, "7", "20", "7")
		must(t, err)
		w.addsUp(out)
		if out.Counts.Queued != 2 || out.Counts.Skipped != 2 || !cmp.Equal(out.Exclude, []string{"7", "20"}) {
			t.Errorf("%+v, %v", out.Counts, out.Exclude)
		}
		if out, err = w.without(v.ID, "7"); err != nil || out.Counts.Queued != 3 { // Finn is in again
			t.Errorf("%+v, %v", out.Counts, err)
		}
		w.clock.Add(time.Hour)
		w.due()
		_, err = w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		for _, m := range w.messages(v.ID) {
			if leftOut := m.ErrorCode == "left_out"; leftOut != (m.RecordID == "7") || leftOut && (m.State != ledger.Skipped || m.Text != "") {
				t.Errorf("%s is %s: %s", m.RecordID, m.State, m.ErrorText)
			}
		}
		sent := w.claim()
		if len(sent) != 3 || slices.ContainsFunc(sent, func(c ledger.ClaimedMessage) bool { return c.ToNumber == bob }) {
			t.Errorf("%d went", len(sent))
		}
		if _, err = w.without(v.ID, "1"); err == nil {
			t.Error("left out after it started")
		}
	})
}

func TestWhoeverIsLeftOutOfASelectionIsFoundOnAnyPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.Seed(940, 0)
		a := w.all("ana", crm.ModuleContact, "")
		v := w.create(a, "k1", w.later(time.Hour))
		whole := w.prepared(a, "k2", says(hi))
		list := w.messages(whole.ID)
		first, last := list[0], list[len(list)-1]
		_, err := w.without(v.ID, first.RecordID, last.RecordID)
		must(t, err)
		w.clock.Add(time.Hour)
		w.due()
		_, err = w.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		var out []string
		for _, m := range w.messages(v.ID) {
			if m.ErrorCode == "left_out" {
				out = append(out, m.RecordID)
			}
		}
		slices.Sort(out)
		want := []string{first.RecordID, last.RecordID}
		slices.Sort(want)
		if !cmp.Equal(out, want) || w.view(v.ID).Counts.Total != whole.Counts.Total {
			t.Errorf("left out %v, want %v", out, want)
		}
	})
}

func TestWhatMakesNoSenseIsNotLeftOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.bulk("ana", crm.ModuleContact, "7", "20"), "k1", w.later(time.Hour))
		one := w.create(w.one("ana", "7", bob), "k2", w.later(time.Hour))
		for name, c := range map[string]struct {
			id      string
			records []string
		}{"everybody": {v.ID, []string{"7", "20"}}, "a stranger": {v.ID, []string{"1"}}, "nobody": {v.ID, []string{""}}, "the only one": {one.ID, []string{"7"}}} {
			_, err := w.without(c.id, c.records...)
			if code, _ := refused(err); code != "bad_request" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if out, err := w.without(v.ID); err != nil || out.Counts.Queued != 2 || len(out.Exclude) != 0 {
			t.Errorf("everybody in again: %+v, %v", out.Counts, err)
		}
	})
}

func TestAnEditChangesOnlyWhatItNames(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.later(time.Hour)
		r.Late = &texting.Late{AfterMinutes: 10, Do: "drop"}
		v := w.create(w.bulk("ana", crm.ModuleContact, "7", "20"), "k1", r)
		_, err := w.without(v.ID, "7")
		must(t, err)
		text := "Another text"
		e, err := w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{Message: &text})
		must(t, err)
		if e.Text != text || !cmp.Equal(e.Schedule, v.Schedule) || !cmp.Equal(e.Late, v.Late) || !e.SendAt.Equal(*v.SendAt) || len(e.Exclude) != 1 {
			t.Errorf("%+v", e)
		}
	})
}

func TestWhoWouldGetAScheduledBulkIsForetold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.bulk("ana", crm.ModuleContact, "7", "8", "9", "20"), "k1", w.later(time.Hour))
		_, err := w.without(v.ID, "20")
		must(t, err)
		says := func(state string) map[string]string {
			t.Helper()
			out := map[string]string{}
			list, err := w.Messages(ctx, w.page("ana"), v.ID, state, "")
			must(t, err)
			for _, m := range list.Messages {
				if out[m.RecordID] = m.State + ": " + m.Text + m.ErrorText; m.ID != "" || m.Name == "" {
					t.Errorf("%+v", m)
				}
			}
			return out
		}
		left := map[string]string{"8": "skipped: Unsubscribed from Text", "20": "skipped: Left out while the texts waited"}
		got := map[string]string{"7": "queued: Hi Bob", "9": says("")["9"]}
		for id, words := range left {
			got[id] = words
		}
		if diff := cmp.Diff(got, says("")); diff != "" {
			t.Error(diff)
		}
		skipped := says("skipped")
		if skipped["20"] != left["20"] || skipped["8"] != left["8"] || skipped["7"] != "" {
			t.Errorf("skipped: %v", skipped)
		}
		if _, err := w.Messages(ctx, w.page("ana"), v.ID, "", "ids:99:"); err == nil {
			t.Error("a page that is not there")
		} else if code, _ := refused(err); code != "bad_request" {
			t.Error(err)
		}
		if _, err := w.Messages(ctx, w.page("ben"), v.ID, "", ""); err == nil {
			t.Error("another user's")
		}
	})
}
