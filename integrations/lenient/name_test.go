package lenient

import (
	"strings"
	"testing"
	"unicode"
)

func TestName(t *testing.T) {
	for name, want := range map[string]string{
		"Acme Inc": "Acme Inc", "Victim Co \u202e": "Victim Co", "\u2066Acme\u2069": "Acme", "A\u200ec\u200fm\u061ce": "Acme",
		"Acme\r\n Inc\t": "Acme Inc", "A\x00n\x7fa\u0085": "Ana", "A\u2028B\u2029C": "A B C", "\u202e": "", "": "",
		"\u05d0\u05d1": "\u05d0\u05d1", "\u0645\u06cc\u200c\u062e": "\u0645\u06cc\u200c\u062e", // letters and joiners stay
		"\U0001f469\u200d\U0001f4bb": "\U0001f469\u200d\U0001f4bb",
		strings.Repeat("é", 201):     strings.Repeat("é", 200), strings.Repeat("ab ", 500): strings.TrimSpace(strings.Repeat("ab ", 67)),
	} {
		if got := Name(name); got != want {
			t.Errorf("Name(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzName(f *testing.F) {
	f.Add("Victim Co \u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := Name(s)
		if strings.ContainsFunc(got, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) }) || Name(got) != got {
			t.Errorf("Name(%q) = %q", s, got)
		}
	})
}
