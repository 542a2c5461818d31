package text

import (
	"testing"
	"unicode"
)

func TestIsBlank(t *testing.T) {
	for _, s := range []string{"", " \t\n", "\u00a0\u3000", "\u200b", "\u2060", "\u3164", "\u115f\u1160", "\uffa0", "\u2800",
		"\ufe0f", "\U000e0100", "\u034f", "\u061c", "\u180e", "\u00ad", "\ufeff", "\u202e\u202c", "\u2066", "\u0000",
		"\U000e0041", "\u17b4", "\u200d \u200c"} {
		if !IsBlank(s) || Trim(s) != "" {
			t.Errorf("IsBlank(%+q) is false, Trim is %+q", s, Trim(s))
		}
	}
	for _, s := range []string{"a", ".", "\u200bx", "_", "\u0600", "😀", "ㅤa", "é"} {
		if IsBlank(s) {
			t.Errorf("IsBlank(%+q) is true", s)
		}
	}
}

func TestEveryFormatCharacterIsInvisible(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		hidden := unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) ||
			unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
		if hidden && !IsInvisible(r) {
			t.Errorf("%U is visible", r)
		}
		if IsInvisible(r) && (unicode.IsDigit(r) || unicode.IsPunct(r) || unicode.Is(unicode.Latin, r)) {
			t.Errorf("%U is invisible", r)
		}
	}
}

func TestTrim(t *testing.T) {
	for s, want := range map[string]string{
		" \u200bBob\u200b\u2060 ": "Bob", "a \u200b b": "a \u200b b", "❤\ufe0f": "❤\ufe0f", "\ufeffx\n": "x",
		"\U0001F3F4\U000E0067\U000E007F": "\U0001F3F4\U000E0067\U000E007F",
	} {
		if got := Trim(s); got != want {
			t.Errorf("Trim(%+q) = %+q, want %+q", s, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"Émile", "ÉMILE", "emile", "E\u0301mile", "Ém\u200bile"},
		{"İlker", "ilker", "ILKER", "ılker"},
		{"Straße", "STRASSE", "strasse", "STRAẞE"},
		{"Søren Łukasz", "SØREN  ŁUKASZ", "soren\tlukasz"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος"}, {"ИВАН Ёлкин", "иван елкин"},
		{"ﬁne", "FINE"}, {"Ｆｕｌｌ", "full"}, {"Ægir", "aegir"}, {"Nguyễn", "NGUYEN"},
	} {
		for _, s := range same {
			if got, want := Fold(s), Fold(same[0]); got != want || Fold(got) != got {
				t.Errorf("Fold(%q) = %q, %q of %q", s, got, want, same[0])
			}
		}
	}
}

func FuzzFoldIsIdempotent(f *testing.F) {
	f.Add("Émile İ ẞ ſt")
	f.Add("\u0345\u1fb3 \u2126\u212a")
	f.Fuzz(func(t *testing.T, s string) {
		if once := Fold(s); Fold(once) != once {
			t.Fatalf("%q: %q, then %q", s, once, Fold(once))
		}
	})
}

func TestLowerASCII(t *testing.T) {
	for s, want := range map[string]string{"Bob@ACME.com": "bob@acme.com", "İlker@acme.com": "İlker@acme.com", "mi\u212ae": "mi\u212ae", "É": "É"} {
		if got := LowerASCII(s); got != want {
			t.Errorf("LowerASCII(%q) = %q", s, got)
		}
	}
}

func TestUnescape(t *testing.T) {
	for s, want := range map[string]string{
		"Tom &amp; Jerry": "Tom & Jerry", "&amp;lt;": "&lt;", "&#39;&#x27;&quot;": `''"`, "O&apos;Hara": "O'Hara",
		"https://x.com/?a=1&copy=2&lt": "https://x.com/?a=1&copy=2&lt", "AT&T": "AT&T", "&nosuchname;": "&nosuchname;", "&#0;": "\ufffd",
	} {
		if got := Unescape(s); got != want {
			t.Errorf("Unescape(%q) = %q, want %q", s, got, want)
		}
	}
}
