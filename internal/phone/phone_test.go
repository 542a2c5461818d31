package phone

import (
	"slices"
	"strings"
	"testing"
)

func TestCanonicalIsOneFormForAPerson(t *testing.T) {
	for canonical, others := range map[string][]string{
		"+5491123456789": {"+541123456789"},  // Buenos Aires
		"+5493514123456": {"+543514123456"},  // Córdoba
		"+5492944123456": {"+542944123456"},  // Bariloche
		"+525512345678":  {"+5215512345678"}, // Mexico City
		"+523312345678":  {"+5213312345678"}, // Guadalajara
		"+5511987654321": {"+551187654321"},  // São Paulo
		"+5521967654321": {"+552167654321"},  // Rio de Janeiro
		"+14155550142":   nil, "+442079460958": nil, "+376312345": nil,
		"+551123456789":  nil, // eight digits, fixed
		"+5511923456789": nil, // a mobile without an older form
		"+5415":          nil, "": nil, "+": nil, "+54": nil, "+52": nil, "+55": nil, "odd": nil,
	} {
		if got := Canonical(canonical); canonical != "+551123456789" && got != canonical {
			t.Errorf("Canonical(%q) = %q", canonical, got)
		}
		for _, other := range others {
			if got := Canonical(other); got != canonical {
				t.Errorf("Canonical(%q) = %q, want %q", other, got, canonical)
			}
			for _, form := range []string{canonical, other} {
				if got := Forms(form); got[0] != canonical || len(got) != 2 || !slices.Contains(got, other) {
					t.Errorf("Forms(%q) = %q", form, got)
				}
			}
		}
		if got := Forms(canonical); len(got) != 1+len(others) {
			t.Errorf("Forms(%q) = %q", canonical, got)
		}
	}
}

func FuzzCanonicalIsIdempotent(f *testing.F) {
	for _, seed := range []string{"+5491123456789", "+5215512345678", "+551187654321", "+549", "+5511"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		canonical := Canonical(number)
		if again := Canonical(canonical); again != canonical {
			t.Fatalf("%q, then %q", canonical, again)
		}
		forms := Forms(number)
		if !slices.Contains(forms, number) {
			t.Fatalf("Forms(%q) = %q", number, forms)
		}
		for _, form := range forms {
			if Canonical(form) != canonical || !strings.HasPrefix(form, number[:min(3, len(number))]) {
				t.Fatalf("%q is a form of %q", form, number)
			}
		}
	})
}
