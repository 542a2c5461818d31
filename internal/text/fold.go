package text

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// plain has letters that are a letter with a stroke or a ligature to
// readers, but that Unicode does not decompose.
var plain = strings.NewReplacer(
	"ø", "o", "ł", "l", "đ", "d", "ħ", "h", "ŧ", "t", "ı", "i", "æ", "ae", "œ", "oe", "ð", "d", "þ", "th")

// Fold returns a text in the form in which searches compare: without
// case, accents, width and invisible characters, white space as single
// blanks. Both databases store and compare what this returns.
func Fold(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(dropMarks, norm.NFKD.String(s))
	s = plain.Replace(cases.Fold().String(s))
	s = strings.Map(dropMarks, norm.NFKD.String(s)) // folding may compose
	return strings.Join(strings.Fields(s), " ")
}

func dropMarks(r rune) rune {
	if unicode.Is(unicode.Mn, r) || IsInvisible(r) && !unicode.IsSpace(r) {
		return -1
	}
	return r
}

// LowerASCII lowers A to Z alone. Names that decide about identity
// (e-mails, host names) are compared so: in Unicode, K (U+212A) would
// become k, and another person's e-mail.
func LowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
