package lenient

import (
	"strings"
	"unicode"
)

// maxName is in characters. Longer ones are not names, and would
// push aside what stands next to them.
const maxName = 200

// Name returns a name without what could hide or reorder the
// text around it: control characters, line separators and
// bidirectional controls (Unicode's Bidi_Control). White space
// becomes one blank. A name of more than 200 characters is cut.
func Name(s string) string {
	s = first(s, 8*maxName) // the rest need not be looked at
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control):
			return -1
		}
		return r
	}, s)
	return strings.TrimRight(first(strings.Join(strings.Fields(s), " "), maxName), " ")
}

// first returns the first n characters of a string.
func first(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}
