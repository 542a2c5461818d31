package compose

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t testing.TB, text string) Template {
	t.Helper()
	template, err := Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return template
}

func TestRender(t *testing.T) {
	values := map[string]string{
		"Contact.firstName": "Bob", "User.lastName": "Ruiz", "Deal.title": "  12 chairs \n",
		"Contact.custom_1": "x\x00y\tz", "Company.name": "Ben|Co }}", "Contact.nick": " \u0000 ",
	}
	for template, want := range map[string]string{
		"Hi":                                   "Hi",
		"Hi {{Contact.firstName}}, it's ready": "Hi Bob, it's ready",
		"{{ Contact.firstName }}{{User.lastName}}": "BobRuiz",
		"{{\n\tContact.firstName\u00a0}}":          "Bob",
		"{{Contact.firstName|there}}":              "Bob",
		"Hi {{Contact.lastName|there}}":            "Hi there",
		"Hi {{Contact.lastName | you | all }}":     "Hi you | all",
		"{{Contact.nick|friend}}":                  "friend",
		"[{{Deal.title}}]":                         "[12 chairs]",
		"{{Contact.custom_1}}":                     "xy z",
		"{{Company.name}}!":                        "Ben|Co }}!",
		"a { b } c":                                "a { b } c",
		"{{Contact.firstName}}}":                   "Bob}",
		"  two\r\nlines\r  ":                       "two\nlines",
		"Jose\u0301":                               "José",
		"pay\u202eback":                            "payback",
	} {
		got, err := mustParse(t, template).Render(values)
		if err != nil || got != want {
			t.Errorf("%q rendered %q, %v; want %q", template, got, err, want)
		}
	}
}

func TestParseErrorsHaveOffsets(t *testing.T) {
	for text, offset := range map[string]int{
		"{{":                          0,
		"héllo {{":                    6,
		"{{Contact.firstName":         0,
		"{{Contact.firstName}":        0,
		"a {{Contact.x {{Deal.y}}":    2,
		"{{{Contact.firstName}}":      0,
		"{{}}":                        0,
		"{{ | there}}":                0,
		"{{Contact}}":                 0,
		"{{Contact.}}":                0,
		"{{.firstName}}":              0,
		"{{Contact.first name}}":      0,
		"{{Contact.first.name}}":      0,
		"{{Contact.prénom}}":          0,
		"{{contact.firstName}}":       0,
		"ok {{Lead.name}}":            3,
		"{{Deal.a|{{Deal.b}}}}":       0,
		"{Contact.firstName}}":        18,
		"😀{{Deal.a}} {{Deal.b|é}} }}": 25,
	} {
		_, err := Parse(text)
		var parseError *ParseError
		if !errors.As(err, &parseError) {
			t.Errorf("Parse(%q) = %v", text, err)
		} else if parseError.Offset != offset || parseError.Sentence() == "" {
			t.Errorf("Parse(%q) points at %d (%s), want %d", text, parseError.Offset, parseError.Problem, offset)
		}
	}
}

func TestParseLimitsFields(t *testing.T) {
	hundred := strings.Repeat("{{Deal.a}}", MaxFields)
	mustParse(t, hundred)
	_, err := Parse(hundred + "{{Deal.a}}")
	var parseError *ParseError
	if !errors.As(err, &parseError) || parseError.Offset != len(hundred) {
		t.Errorf("101 fields: %v", err)
	}
}

// The words alone decide who is too long: a text that fits nobody is
// refused when it is written, not once for each person.
func TestParseRefusesWordsThatAreTooLong(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		want   error
	}{
		"1500 characters":               {strings.Repeat("é", 1500) + "{{Deal.a}}", nil},
		"1501 characters":               {strings.Repeat("é", 1501) + "{{Deal.a}}", ErrTooLong},
		"in two pieces":                 {strings.Repeat("a", 751) + "{{Deal.a}}" + strings.Repeat("b", 750), ErrTooLong},
		"blanks at the ends":            {strings.Repeat(" ", 900) + "{{Deal.a}} hi" + strings.Repeat("\n", 900), nil},
		"accents that compose":          {strings.Repeat("e\u0301", 1500), nil},
		"a megabyte":                    {"Hi {{Contact.firstName|x}}" + strings.Repeat(" word", 200_000), ErrSourceTooLong},
		"a megabyte of what is no text": {strings.Repeat("\xff", 1<<20), ErrSourceTooLong},
	} {
		if _, err := Parse(c.source); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	nearly := mustParse(t, strings.Repeat("a", 1490)+"{{Deal.a}}")
	if nearly.TooLongWith("") || nearly.TooLongWith("Say STOP.") || !nearly.TooLongWith("Say STOP..") {
		t.Error("a line of ten characters is counted wrongly")
	}
}

func TestParseLimitsNamesAndFallbacks(t *testing.T) {
	name := "Deal." + strings.Repeat("a", maxName-len("Deal."))
	mustParse(t, "{{"+name+"}}{{Deal.a|"+strings.Repeat("é", MaxCharacters)+"}}")
	for _, source := range []string{"x{{" + name + "a}}", "x{{" + strings.Repeat("a", maxName+1) + ".b}}",
		"x{{Deal.a|" + strings.Repeat("é", MaxCharacters+1) + "}}"} {
		_, err := Parse(source)
		var parseError *ParseError
		if !errors.As(err, &parseError) || parseError.Offset != 1 || len(parseError.Problem) > 100 {
			t.Errorf("%.40q: %v", source, err)
		}
	}
}

func TestRenderRefusesAHugeValue(t *testing.T) {
	_, err := mustParse(t, "Hi {{Deal.a}}").Render(map[string]string{"Deal.a": strings.Repeat("e\u0301", 1<<20)})
	if !errors.Is(err, ErrTooLong) {
		t.Errorf("a value of 3 MB: %v", err)
	}
}

func TestFields(t *testing.T) {
	template := mustParse(t, "{{User.name}} {{Contact.firstName|x}} {{ User.name }}")
	if diff := cmp.Diff([]string{"User.name", "Contact.firstName"}, template.Fields()); diff != "" {
		t.Error(diff)
	}
}

func TestCheckSuggestsAField(t *testing.T) {
	known := []string{"Contact.firstName", "Contact.lastName", "Contact.email", "Deal.title", "User.firstName"}
	for text, want := range map[string]*UnknownFieldError{
		"{{Contact.firstName}} {{Deal.title}}": nil,
		"Hi {{Contact.firstname}}":             {Field: "Contact.firstname", Offset: 3, Suggestion: "Contact.firstName"},
		"{{Contact.fristName}}":                {Field: "Contact.fristName", Suggestion: "Contact.firstName"},
		"{{Deal.titel}}":                       {Field: "Deal.titel", Suggestion: "Deal.title"},
		"{{Contact.shoeSizeInCentimetres}}":    {Field: "Contact.shoeSizeInCentimetres"},
	} {
		err := mustParse(t, text).Check(known)
		var got *UnknownFieldError
		errors.As(err, &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestRenderErrors(t *testing.T) {
	long := strings.Repeat("é", MaxCharacters)
	if _, err := mustParse(t, long).Render(nil); err != nil {
		t.Errorf("1500 characters: %v", err)
	}
	for _, c := range []struct {
		template, value string
		want            error
		code            string
	}{
		{"Hi {{Contact.firstName}}", "", &EmptyFieldError{"Contact.firstName"}, "empty_field"},
		{"Hi {{Contact.firstName|}}", " \n ", &EmptyFieldError{"Contact.firstName"}, "empty_field"},
		{"{{Contact.firstName}}", "{{User.password}}", &BracesError{"Contact.firstName"}, "braces_in_value"},
		{"{{Contact.firstName}}", "{\x00{", &BracesError{"Contact.firstName"}, "braces_in_value"},
		{"{{Contact.firstName}}{{Contact.firstName}}", "{", &BracesError{}, "braces_in_value"},
		{"{ {{Contact.firstName}}", "x", nil, ""},
		{long + "{{Contact.firstName}}", "x", ErrTooLong, "too_long"},
		{" \n ", "", ErrNoText, "empty_message"},
	} {
		text, err := mustParse(t, c.template).Render(map[string]string{"Contact.firstName": c.value})
		if c.want == nil {
			if err != nil {
				t.Errorf("%.30q with %q: %v", c.template, c.value, err)
			}
			continue
		}
		var reason Reason
		if text != "" || !errors.As(err, &reason) || reason.Code() != c.code || reason.Error() != c.want.Error() {
			t.Errorf("%.30q with %q: %q, %v; want %v", c.template, c.value, text, err, c.want)
		}
	}
}

func TestErrorsDoNotContainValues(t *testing.T) {
	secret := "hunter2"
	_, parse := Parse("{{Contact." + secret + "é}}")
	_, render := mustParse(t, "{{Contact.firstName}}").Render(map[string]string{"Contact.firstName": "{{" + secret})
	_, number := E164(secret, "US")
	for _, err := range []error{parse, render, number} {
		if err == nil || strings.Contains(fmt.Sprint(err), secret) {
			t.Errorf("error %v", err)
		}
	}
}

func TestString(t *testing.T) {
	text := "Hi {{ Contact.firstName | there }}\x00\r\n"
	template := mustParse(t, text)
	if want := "Hi {{ Contact.firstName | there }}\n"; template.String() != want {
		t.Errorf("String() = %q", template.String())
	}
	if diff := cmp.Diff(template, mustParse(t, template.String()), cmp.AllowUnexported(Template{}, piece{})); diff != "" {
		t.Error(diff)
	}
}

func FuzzRenderNeverLetsBracesOut(f *testing.F) {
	f.Add("Hi {{Contact.firstName|there}}", "Bob", "x")
	f.Add("{{{Contact.firstName}}", "{{Deal.title}}", "{")
	f.Add("{{Contact.firstName}}{{Deal.title|{}}", "{", "{{")
	f.Add("{\u0000{Contact.firstName}}", "\xff{", "}}")
	f.Fuzz(func(t *testing.T, text, first, title string) {
		template, err := Parse(text)
		if err != nil {
			var parseError *ParseError
			if !errors.As(err, &parseError) || parseError.Offset < 0 || parseError.Offset > utf8.RuneCountInString(text)*3 {
				t.Fatalf("Parse: %#v", err)
			}
			return
		}
		if again := mustParse(t, template.String()); again.String() != template.String() {
			t.Fatalf("%q is stored as %q", template, again)
		}
		out, err := template.Render(map[string]string{"Contact.firstName": first, "Deal.title": title})
		switch {
		case strings.Contains(out, "{{"):
			t.Fatalf("%q leaves", out)
		case err == nil && (out == "" || out != clean(out) || utf8.RuneCountInString(out) > MaxCharacters):
			t.Fatalf("%q passed", out)
		case err != nil && out != "":
			t.Fatalf("both %q and %v", out, err)
		}
	})
}

// A value is put in as it is: had it been parsed again, the marker that
// only the other value holds would show.
func FuzzValuesAreNeverParsedAgain(f *testing.F) {
	f.Add("{{Deal.title}}")
	f.Add("}}{{Deal.title|x")
	f.Fuzz(func(t *testing.T, value string) {
		const marker = "\U0001F9FF9f3b"
		if strings.Contains(value, marker) {
			t.Skip()
		}
		out, _ := mustParse(t, "{{Contact.firstName|none}}").Render(map[string]string{
			"Contact.firstName": value, "Deal.title": marker,
		})
		if strings.Contains(out, marker) {
			t.Fatalf("%q was parsed", value)
		}
	})
}
