package compose

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// clean makes text safe to send and to store. It is idempotent.
//   - valid UTF-8, line ends as \n
//   - no control characters: Postgres refuses NUL, a tab alone forces UCS-2
//   - no bidirectional overrides: they can show a text backwards
//   - accents composed: é is in GSM-7, e + U+0301 is not
func clean(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return norm.NFC.String(strings.Map(cleanRune, text))
}

func cleanRune(r rune) rune {
	switch {
	case r == '\n':
		return r
	case r == '\r', r == '\u2028', r == '\u2029', r == '\u0085':
		return '\n'
	case r == '\t':
		return ' '
	case unicode.IsControl(r), r == '\uFEFF':
		return -1
	case r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069':
		return -1
	}
	return r
}
