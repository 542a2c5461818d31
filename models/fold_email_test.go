package models

import (
	"strings"
	"testing"
)

// Only ASCII folds: İ, ı, ſ and the Kelvin sign are other people's.
func TestFoldEmail(t *testing.T) {
	for email, want := range map[string]string{
		" Ana@Acme.COM ": "ana@acme.com", "MIKE@acme.com": "mike@acme.com",
		"\u0130lker@acme.com": "\u0130lker@acme.com", "mi\u212ae@acme.com": "mi\u212ae@acme.com", "\u017fam@acme.com": "\u017fam@acme.com",
		"\u00c9MILE@acme.com": "\u00c9mile@acme.com", "\uff21na@acme.com": "\uff21na@acme.com", "\u00a0ana@acme.com": "\u00a0ana@acme.com",
		"ana@acme.com\n": "ana@acme.com\n", "": "",
	} {
		if got := FoldEmail(email); got != want {
			t.Errorf("FoldEmail(%q) = %q, want %q", email, got, want)
		}
	}
}

func FuzzFoldEmail(f *testing.F) {
	f.Add("Ana@Acme.com", "ana@acme.com")
	f.Add("mi\u212ae@acme.com", "mike@acme.com")
	f.Fuzz(func(t *testing.T, a, b string) {
		ascii := func(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) }
		if FoldEmail(a) == FoldEmail(b) && ascii(a) != ascii(b) {
			t.Errorf("%q and %q are one person", a, b)
		}
		if FoldEmail(FoldEmail(a)) != FoldEmail(a) {
			t.Errorf("%q folds twice", a)
		}
	})
}
