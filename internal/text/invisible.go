// Package text has what several packages ask of characters: which of
// them nobody sees, how words are compared, how a CRM escapes them.
package text

import (
	"strings"
	"unicode"
)

// blanks are characters that fonts draw as nothing although Unicode
// calls them letters or symbols.
const blanks = "\u2800\U0001D159" // braille blank, null notehead

// IsInvisible reports whether a character other than white space shows
// nothing by itself: format and control characters, variation
// selectors, fillers. In an emoji such a character may matter.
func IsInvisible(r rune) bool {
	switch {
	case unicode.IsSpace(r):
		return false
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r): // Arabic number signs
		return false
	case strings.ContainsRune(blanks, r):
		return true
	}
	return unicode.IsControl(r) ||
		unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// IsBlank reports whether a text shows nothing.
func IsBlank(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !isNothing(r) }) < 0
}

func isNothing(r rune) bool { return unicode.IsSpace(r) || IsInvisible(r) }

// Trim removes white space and invisible characters from both ends. At
// the end it keeps what belongs to an emoji before it.
func Trim(s string) string {
	if IsBlank(s) {
		return ""
	}
	s = strings.TrimLeftFunc(s, isNothing)
	return strings.TrimRightFunc(s, func(r rune) bool { return isNothing(r) && !endsEmoji(r) })
}

// endsEmoji: variation selectors, and the tags of a region's flag.
func endsEmoji(r rune) bool {
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0020 && r <= 0xE007F
}
