package crm

import (
	"encoding/json"
	"strings"

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
		*t = text(words.Unescape(s))
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

// optedOut reads anything but a clear no as yes: a missing text does
// less harm than an unwanted one.
type optedOut bool

func (o *optedOut) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `" `)) {
	case "false", "null", "0", "no", "":
		*o = false
	default:
		*o = true
	}
	return nil
}
