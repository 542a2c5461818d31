package audience_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/apierror"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
)

func TestTheOptOutLineIsAppendedToWhateverAValueHolds(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, OptOutLine: "Reply STOP to opt out."}))
		w.Host.SetFirstName("t_9", "7", "a}}b")
		w.Host.SetFirstName("t_9", "20", "{{User.email}}")
		w.Host.SetFirstName("t_9", "1", "\u200b\u2060")
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "1", "7", "20"), "k1", Text("Hi {{Contact.firstName}}"))
		want := map[string]string{"7": "Hi a}}b\nReply STOP to opt out.", "20": "braces_in_value: The value of {{Contact.firstName}} contains {{",
			"1": "empty_field: {{Contact.firstName}} is empty"}
		if d := cmp.Diff(want, w.Outcomes(v.ID)); d != "" {
			t.Error(d)
		}
		v = w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "1"), "k2", Text("Hi {{Contact.firstName|there}}!"))
		if d := cmp.Diff(map[string]string{"1": "Hi there!\nReply STOP to opt out."}, w.Outcomes(v.ID)); d != "" {
			t.Error(d)
		}
	})
}

func TestATextThatIsBlankOrHoldsAGapIsRefused(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		for text, code := range map[string]string{
			"Hi ⟦First name⟧": "unfilled_gap", "Hi {{Contact.firstName}}, ⟦": "unfilled_gap", "\u200b": "empty_message", "\u3164 \n\u2800": "empty_message",
		} {
			_, err := w.Create(Ctx, w.One("ana", "7", Bob), "k"+text, Text(text))
			var e *apierror.Error
			if !errors.As(err, &e) || e.Code != code || !strings.HasSuffix(e.Message, ".") {
				t.Errorf("%q: %v, want %s", text, err, code)
			}
		}
		// A value that looks like a gap is no text of a person's either.
		w.Host.SetFirstName("t_9", "7", "⟦x⟧")
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7"), "k2", Text("Hi {{Contact.firstName}}"))
		if got := w.Outcomes(v.ID)["7"]; !strings.HasPrefix(got, "unfilled_gap: ") {
			t.Errorf("outcome %q", got)
		}
		own := w.MustCreate(w.One("ana", "7", Bob), "k3", Text("____ is your line"))
		if got := w.Rows(own.ID)[0].Text; got != "____ is your line" {
			t.Errorf("underscores: %q", got)
		}
	})
}

// Two forms of one person's number get one text.
func TestFormsOfANumberAreDuplicates(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		for _, pair := range [][2]string{{"+54 9 11 2345-6789", "+54 11 2345-6789"}, {"+52 1 55 1234 5678", "+52 55 1234 5678"},
			{"+55 11 8765-4321", "+55 11 98765-4321"}} {
			w.Host.SetNumber("t_9", "1", "mobile", pair[0])
			w.Host.SetNumber("t_9", "2", "mobile", pair[1])
			v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "1", "2"), "k"+pair[0], Text("Hi"))
			if d := cmp.Diff(map[string]string{"1": "Hi", "2": "duplicate: Same number as Marta Lindqvist"}, w.Outcomes(v.ID)); d != "" {
				t.Error(d)
			}
		}
	})
}
