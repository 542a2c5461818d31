package crm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"dialpad-texting/integrations/lenient"
)

const (
	maxID     = 255     // bytes of an id
	maxEmail  = 320     // bytes of an e-mail address (RFC 5321, 4.5.3.1)
	maxWord   = 100     // bytes of a time, a time zone, a locale or a number
	maxSearch = 1000    // bytes of what is searched for
	maxText   = 1 << 20 // bytes of a text, which package compose bounds more closely
	maxOpaque = 4096    // bytes of a cursor, a selection or a saved value
)

// id is an id on the wire: a JSON string, or a whole number in any
// notation. It keeps all digits: a float would lose those of a 64-bit id.
type id string

func (i *id) UnmarshalJSON(b []byte) error {
	s, err := readID(b, maxID)
	*i = id(s)
	return err
}

// opaque is a cursor or the like, in an id's shapes.
type opaque string

func (o *opaque) UnmarshalJSON(b []byte) error {
	s, err := readID(b, maxOpaque)
	*o = opaque(s)
	return err
}

// readID reads a string or a whole number of at most most bytes; absent
// and null are "".
func readID(raw []byte, most int) (string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var s string
	if digits, ok := lenient.WholeNumber(raw); ok {
		s = digits
	} else if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", errors.New("must be a string or a whole number")
	}
	if problem := identifierProblem(s, most); problem != "" {
		return "", errors.New(problem)
	}
	return s, nil
}

// identifierProblem says what is wrong with an identifier, "" if nothing
// is. Identifiers are refused, never repaired: with a character removed,
// one would be another's.
func identifierProblem(s string, most int) string {
	switch {
	case len(s) > most:
		return fmt.Sprintf("has more than %d bytes", most)
	case strings.ContainsFunc(s, isInvisible):
		return "has a control character"
	}
	return ""
}

// isInvisible reports control and format characters, line separators,
// and the replacement character, which stands for invalid UTF-8.
func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar
}
