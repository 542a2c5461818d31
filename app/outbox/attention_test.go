package outbox_test

import (
	"testing"
	"time"

	"dialpad-texting/app/batch"
	"dialpad-texting/app/outbox"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

func TestAttentionNamesHeldCausesAndNewFailures(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		ana, ben := w.Page("ana"), w.Page("ben")
		w.MustCreate(w.One("ana", "7", Bob), "failed", Text("Hi"))
		w.Settle(ledger.Failed, w.Claim()...)
		w.MustCreate(w.One("ana", "7", Bob), "soon", w.Later(time.Hour))
		w.MustCreate(w.One("ben", "9", "+14155550177"), "later", w.Later(3*time.Hour))
		_, err := w.DB.Batches.Hold(Ctx, "t_9", "", ledger.HeldPlan, "Your plan no longer includes Dialpad")
		Must(t, err)
		w.Clock.Add(2 * time.Hour)

		v, err := w.Attention(Ctx, ana)
		Must(t, err)
		if len(v.Held) != 1 || v.Held[0] != (outbox.HeldView{Code: "plan_lost", Reason: "Your plan no longer includes Dialpad", Batches: 2, Overdue: 1, Resumable: true}) ||
			v.Failed != 1 || v.Uncertain != 0 || v.Many {
			t.Errorf("Ana: %+v", v)
		}
		if v, err := w.Attention(Ctx, ben); err != nil || len(v.Held) != 1 || v.Held[0].Batches != 1 || v.Failed != 0 {
			t.Errorf("Ben: %+v, %v", v, err)
		}
		Must(t, w.MarkSeen(Ctx, ana))
		if v, err := w.Attention(Ctx, ana); err != nil || v.Failed != 0 {
			t.Errorf("once seen: %+v, %v", v, err)
		}

		if got, err := w.Held.Resume(Ctx, ben, "plan_lost", ""); err != nil || got.Resumed != 1 || got.Failed != 0 || got.Next != nil {
			t.Errorf("Ben resumes %+v, %v", got, err)
		}
		if got, err := w.Held.Resume(Ctx, ana, "late", ""); err != nil || got.Resumed != 0 {
			t.Errorf("another cause: %+v, %v", got, err)
		}
		if got, err := w.Held.Resume(Ctx, ana, "plan_lost", ""); err != nil || got.Resumed != 1 {
			t.Errorf("Ana resumes %+v, %v", got, err)
		}
		if v, err := w.Attention(Ctx, ana); err != nil || len(v.Held) != 0 {
			t.Errorf("nothing is held: %+v, %v", v, err)
		}
	})
}

func TestFiguresCountEachTextOnce(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "1", "2", "4", "6"), "k1", Text("Hi"))
		claimed := w.Claim()
		for len(claimed) < 4 {
			claimed = append(claimed, w.Claim()...)
		}
		settle := func(i int, state string) {
			_, err := w.DB.Settle(Ctx, []ledger.Outcome{{ID: claimed[i].ID, Attempt: 1, State: state, DialpadID: "d-" + claimed[i].ID}})
			Must(t, err)
		}
		settle(0, ledger.Sent)
		settle(1, ledger.Failed)
		settle(2, ledger.Uncertain)
		settle(3, ledger.Uncertain)
		settle(3, ledger.Sent)   // a late answer
		settle(1, ledger.Failed) // once more: nothing changes
		now := w.Clock.Now()
		if _, err := w.DB.Messages.ApplyEvent(Ctx, "t_9", claimed[0].ID, ledger.EventEffect{State: ledger.Delivered, From: []string{ledger.Sent}}); err != nil {
			t.Fatal(err)
		}
		v, err := w.Stats(Ctx, w.Page("ana"), 7)
		Must(t, err)
		want := outbox.FigureView{Texts: 4, Sent: 1, Delivered: 1, Failed: 1, Uncertain: 1}
		if v.Total != want || len(v.Days) != 7 || v.Days[6].Key != now.UTC().Format(time.DateOnly) || v.Days[6].Texts != 4 {
			t.Errorf("%+v", v)
		}
		if len(v.Senders) != 1 || v.Senders[0].Name != "Ana Ruiz" || v.Senders[0].Texts != 4 || len(v.Templates) != 1 || v.Templates[0].Key != "" {
			t.Errorf("senders %+v, templates %+v", v.Senders, v.Templates)
		}
		keys, err := w.DB.Tenants.NumberKeys(Ctx, "t_9", claimed[0].ToNumber)
		Must(t, err)
		Must(t, w.DB.Figures.CountOptOut(Ctx, "t_9", keys))
		if v, err := w.Stats(Ctx, w.Page("ana"), 1); err != nil || v.Total.OptedOut != 1 || v.Total.Texts != 4 {
			t.Errorf("after an opt-out: %+v, %v", v.Total, err)
		}
		if v, err := w.Stats(Ctx, w.Page("ben"), 7); err != nil || v.Total.Texts != 0 {
			t.Errorf("Ben's: %+v, %v", v.Total, err)
		}
	})
}

func TestTimelineKeepsEachMoment(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		ana := w.Page("ana")
		id := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "8", "20"), "k1", w.Later(time.Hour)).ID
		Must(t, w.CountForecast(Ctx, "t_9", id))
		if v := w.MustView(id); v.Counts.Queued != 2 || v.Counts.Skipped != 1 || v.Counts.Total != 3 {
			t.Errorf("as the preview said: %+v", v.Counts)
		}
		message := "Another"
		_, err := w.Edit(Ctx, ana, id, batch.EditRequest{Message: &message})
		Must(t, err)
		_, err = w.DB.Batches.Hold(Ctx, "t_9", "", ledger.HeldPlan, "No plan")
		Must(t, err)
		_, err = w.Resume(Ctx, ana, id)
		Must(t, err)
		_, err = w.Cancel(Ctx, ana, id)
		Must(t, err)
		var what []string
		for _, m := range w.MustView(id).Timeline {
			what = append(what, m.What+"/"+m.By+"/"+m.Reason)
		}
		want := []string{"created/Ana Ruiz/", "scheduled/Ana Ruiz/", "edited/Ana Ruiz/", "held//No plan", "resumed/Ana Ruiz/", "cancelled/Ana Ruiz/"}
		if len(what) != len(want) {
			t.Fatalf("%q", what)
		}
		for i := range want {
			if what[i] != want[i] {
				t.Errorf("%q, want %q", what[i], want[i])
			}
		}
		for range 2 { // it may run again
			Must(t, w.RecordCancelled(Ctx, "t_9", id))
		}
		v := w.MustView(id)
		list, err := w.Messages(Ctx, ana, id, "cancelled", "", "")
		Must(t, err)
		if v.Counts.Cancelled != 2 || v.Counts.Skipped != 1 || len(list.Messages) != 2 || list.Messages[0].ErrorText != "Cancelled by Ana Ruiz" || list.Messages[0].Name == "" {
			t.Errorf("counts %+v, people %+v", v.Counts, list.Messages)
		}
		if found, err := w.Messages(Ctx, ana, id, "", "tanaka", ""); err != nil || len(found.Messages) != 1 {
			t.Errorf("found %+v, %v", found.Messages, err)
		}
		if found, err := w.Messages(Ctx, ana, id, "", "555-0142", ""); err != nil || len(found.Messages) != 1 {
			t.Errorf("found by number %+v, %v", found.Messages, err)
		}
		again, err := w.Duplicate(Ctx, ana, id, "dup", batch.Request{Message: "Once more"})
		Must(t, err)
		if again.Message != "Once more" || len(again.RecordIDs) != 3 || again.Source != ledger.SourceBulk {
			t.Errorf("%+v", again)
		}
		if same, err := w.Duplicate(Ctx, ana, id, "dup", batch.Request{Message: "Once more"}); err != nil || same.ID != again.ID {
			t.Errorf("the same key: %v, %v", same.ID, err)
		}
		_, err = w.Duplicate(Ctx, w.Page("ben"), id, "dup", batch.Request{})
		if code, _ := Refusal(err); code != "not_found" {
			t.Errorf("another user: %v", err)
		}
	})
}
