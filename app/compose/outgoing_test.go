package compose

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/internal/text"
)

var invisible = []string{"\u200b", "\u2060", "\u3164", "\u2800", "\ufe0f", "\u00ad", "\u115f", "\u034f", "\U000e0100", "\u200b \u00a0\n\u2060"}

func TestAnInvisibleValueIsEmpty(t *testing.T) {
	for _, value := range invisible {
		values := map[string]string{"Contact.firstName": value}
		if got, err := mustParse(t, "Hi {{Contact.firstName|there}}!").Render(values); err != nil || got != "Hi there!" {
			t.Errorf("%+q: %q, %v", value, got, err)
		}
		for _, template := range []string{"Hi {{Contact.firstName}}!", "Hi {{Contact.firstName|" + value + "}}!"} {
			var empty *EmptyFieldError
			if got, err := mustParse(t, template).Render(values); !errors.As(err, &empty) {
				t.Errorf("%+q: %q, %v", template, got, err)
			}
		}
		if got, err := mustParse(t, value).Render(nil); !errors.Is(err, ErrNoText) {
			t.Errorf("a text of %+q: %q, %v", value, got, err)
		}
	}
	if got, err := mustParse(t, "Hi {{Contact.firstName}}!").Render(map[string]string{"Contact.firstName": "\u200bBob\u2060"}); err != nil || got != "Hi Bob!" {
		t.Errorf("a name between invisible characters: %+q, %v", got, err)
	}
}

func TestFillMarksEmptyFields(t *testing.T) {
	label := func(field string) string { return "Close}}⟧ date" + strings.TrimPrefix(field, "Deal.closeDate") }
	for _, c := range []struct {
		template, want string
		empty          []string
	}{
		{"{{Deal.closeDate}}, any thoughts on {{Deal.closeDate}}?", "⟦Close date⟧, any thoughts on ⟦Close date⟧?", []string{"Deal.closeDate"}},
		{"{{Deal.closeDate|soon}} {{Contact.firstName}}", "soon a}}b", nil},
		{"____ {{Contact.firstName}}", "____ a}}b", nil},
		{"{{Deal.closeDate}}", "⟦Close date⟧", []string{"Deal.closeDate"}},
	} {
		got, empty, err := mustParse(t, c.template).Fill(map[string]string{"Contact.firstName": "a}}b", "Deal.closeDate": "\u200b"}, label)
		if err != nil || got != c.want || !cmp.Equal(empty, c.empty) {
			t.Errorf("%q filled %q, %v, %v", c.template, got, empty, err)
		}
		if err := CheckOutgoing(got); errors.Is(err, ErrGap) != (c.empty != nil) {
			t.Errorf("%q may go: %v", got, err)
		}
	}
	var braces *BracesError
	if got, _, err := mustParse(t, "{{Contact.firstName}}").Fill(map[string]string{"Contact.firstName": "{{"}, label); got != "" || !errors.As(err, &braces) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCheckOutgoing(t *testing.T) {
	for s, want := range map[string]error{
		"Hi": nil, "____, any thoughts on ____?": nil, "a}}b": nil, "[x]": nil, "": ErrNoText, "\u200b": ErrNoText, " \n\u2800": ErrNoText,
		"Hi ⟦First name⟧": ErrGap, "Hi ⟦": ErrGap, "Hi ⟧": ErrGap, "⟦⟧": ErrGap, strings.Repeat("a", MaxCharacters+1): ErrTooLong,
	} {
		if err := CheckOutgoing(s); !errors.Is(err, want) {
			t.Errorf("CheckOutgoing(%.40q) = %v, want %v", s, err, want)
		}
	}
	var braces *BracesError
	if err := CheckOutgoing("a {{ b"); !errors.As(err, &braces) {
		t.Errorf("braces: %v", err)
	}
}

func FuzzWithLineParsesNothing(f *testing.F) {
	f.Add("Hi a}}b", "Reply STOP to opt out")
	f.Add("Hi {", "{ STOP")
	f.Add("Hi {{Contact.x}}", "")
	f.Fuzz(func(t *testing.T, s, line string) {
		rendered, err := asValue(s)
		if err != nil {
			return
		}
		got, err := WithLine(rendered, line)
		if err == nil && !strings.HasPrefix(got, rendered) || err != nil && got != "" {
			t.Fatalf("WithLine(%q, %q) = %q, %v", rendered, line, got, err)
		}
		if err == nil && (text.IsBlank(got) || HasGap(got) || strings.Contains(got, "{{")) {
			t.Fatalf("%q goes out", got)
		}
	})
}

// asValue renders s as a value, which is never parsed.
func asValue(s string) (string, error) {
	template, err := Parse("{{Contact.firstName}}")
	if err != nil {
		return "", err
	}
	return template.Render(map[string]string{"Contact.firstName": s})
}
