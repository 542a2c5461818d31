package compose

import (
	"strings"
	"unicode/utf8"

	"dialpad-texting/internal/text"
)

// The marks of a gap: what a template leaves open where a field is
// empty, for the person to fill in before they send. Nobody types them
// by chance, unlike underscores; static/js/gaps.js has the same.
const (
	gapOpen  = "⟦"
	gapClose = "⟧"
)

// Gap returns the mark of a field that has no value.
func Gap(label string) string {
	label = text.Trim(strings.NewReplacer(gapOpen, "", gapClose, "", "{", "", "}", "", "\n", " ").Replace(clean(label)))
	return gapOpen + label + gapClose
}

// HasGap reports whether a text holds a gap's mark, or half of one.
func HasGap(s string) bool { return strings.ContainsAny(s, gapOpen+gapClose) }

// CheckOutgoing is the last look at a text as it would be sent: it shows
// something, has no gap and no braces, and is not too long. Errors:
// ErrNoText, ErrGap, *BracesError, ErrTooLong.
func CheckOutgoing(s string) error {
	switch {
	case text.IsBlank(s):
		return ErrNoText
	case HasGap(s):
		return ErrGap
	}
	return checkRendered(s)
}

// checkRendered checks what also holds for a text with gaps.
func checkRendered(s string) error {
	switch {
	case strings.Contains(s, "{{"):
		return &BracesError{}
	case utf8.RuneCountInString(s) > MaxCharacters:
		return ErrTooLong
	}
	return nil
}

// WithLine appends a line, such as how to opt out, to a rendered text.
// Neither is parsed. Errors as of CheckOutgoing.
func WithLine(s, line string) (string, error) {
	if line = text.Trim(clean(line)); line != "" {
		s += "\n" + line
	}
	if err := CheckOutgoing(s); err != nil {
		return "", err
	}
	return s, nil
}
