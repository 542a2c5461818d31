package crm

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"dialpad-texting/integrations/lenient"
	words "dialpad-texting/internal/text"
)

// text is the value of a field: any scalar, or a list of them (multiple
// choice) joined by commas, without the empty ones. HTML entities are
// decoded, once: the CRM stores what was typed into it escaped. An
// object is read as "": one such field must not make a whole page
// unreadable.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*t = ""
		return nil
	}
	if len(b) == 0 || b[0] != '[' {
		s, err := scalar(b)
		*t = text(words.Unescape(strings.ReplaceAll(s, "\x00", ""))) // Postgres stores no NUL
		return err
	}
	var list []text
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	var parts []string
	for _, v := range list {
		if !words.IsBlank(string(v)) {
			parts = append(parts, string(v))
		}
	}
	*t = text(strings.Join(parts, ", "))
	return nil
}

// scalar returns a JSON string, number, boolean or null ("") as text.
func scalar(b []byte) (string, error) {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || string(b) == "null":
		return "", nil
	case b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		return s, err
	case b[0] == '{' || b[0] == '[':
		return "", errors.New("must be a string or a number")
	}
	return string(b), nil
}

// optedOut reads anything but a clear no as yes: a missing text does
// less harm than an unwanted one.
type optedOut bool

func (o *optedOut) UnmarshalJSON(b []byte) error {
	*o = optedOut(!isClearNo(b) && string(b) != "null")
	return nil
}

func isClearNo(b []byte) bool {
	b = bytes.Trim(b, `" `)
	if n, ok := lenient.WholeNumber(b); ok {
		return n == "0"
	}
	switch strings.ToLower(string(b)) {
	case "false", "no", "":
		return true
	}
	return false
}

// active reads anything but a clear no as yes, a missing value too.
type active bool

func (a *active) UnmarshalJSON(b []byte) error {
	*a = active(!isClearNo(b))
	return nil
}
