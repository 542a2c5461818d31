package crm

import (
	"encoding/json"
	"strings"
)

// text is the value of a field: any scalar, or a list of them (multiple
// choice) joined by commas. An object is read as "": one such field
// must not make a whole page unreadable.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*t = ""
		return nil
	}
	if len(b) == 0 || b[0] != '[' {
		s, err := scalar(b)
		*t = text(s)
		return err
	}
	var list []text
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = string(v)
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
