package popup_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	. "dialpad-texting/internal/apptest"
)

func TestATemplatesEmptyFieldsAreGaps(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.SetFirstName("t_9", "16", "a}}b & ____")
		v, err := w.Popup.Render(Ctx, w.One("ana", "16", "+19195550129"), "tpl_6")
		Must(t, err)
		if want := "Hi a}}b & ____, a reminder that our offer for ⟦Deal title⟧ runs until ⟦Close date⟧."; v.Text != want {
			t.Errorf("text %q, want %q", v.Text, want)
		}
		var fields []string
		for _, p := range v.Problems {
			fields = append(fields, p.Field+" "+p.Code)
		}
		if d := cmp.Diff([]string{"Deal.title empty", "Deal.closeDate empty"}, fields); d != "" {
			t.Error(d)
		}
		if _, err := w.Create(Ctx, w.One("ana", "16", "+19195550129"), "k1", Text(v.Text)); err == nil {
			t.Error("a text with gaps was taken")
		}
	})
}

func TestAnExtensionIsShownAndNotDialled(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v, err := w.Context(Ctx, w.One("ana", "7", "(415) 555-0142 x5"))
		Must(t, err)
		if v.To.Problem != nil || v.To.Number != Bob || v.To.Display != "+1 415 555 0142 ext. 5" || v.To.FieldLabel == "" {
			t.Errorf("to %+v", v.To)
		}
	})
}
