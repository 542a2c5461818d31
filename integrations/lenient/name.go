package lenient

import (
	"strings"
	"unicode"
)

// Name returns a name without what could hide or reorder the
// text around it: control characters, line separators and
// bidirectional controls (Unicode's Bidi_Control). White space
// becomes one blank.
func Name(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
