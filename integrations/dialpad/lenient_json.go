package dialpad

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"

	"dialpad-texting/integrations/lenient"
)

// lenientString reads a JSON string, number or bool as text,
// anything else as "". A whole number becomes its digits, all of them:
// it never becomes a float64.
type lenientString string

// UnmarshalJSON never fails: one odd field must not lose the object.
func (t *lenientString) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || string(b) == "null":
	case b[0] == '"':
		var s string
		if json.Unmarshal(b, &s) == nil {
			*t = lenientString(strings.ReplaceAll(s, "\x00", "")) // Postgres stores no NUL
		}
	default:
		*t = lenientString(b)
		if digits, ok := lenient.WholeNumber(b); ok {
			*t = lenientString(digits)
		}
	}
	return nil
}

const maxID = 255 // bytes

// lenientID reads an id: a string, or a whole number in any notation.
// Dialpad's OpenAPI file declares ids as int64 and shows them as
// strings; 42, 42.0 and "42" are one id. Anything else is "", as is a
// string that can't be an id: with control characters, or too long.
type lenientID string

// UnmarshalJSON never fails, like lenientString's.
func (i *lenientID) UnmarshalJSON(b []byte) error {
	*i = ""
	s, ok := lenient.WholeNumber(b)
	if !ok && (len(b) > 0 && b[0] == '"') {
		_ = json.Unmarshal(b, &s) // what can't be read is no id
	}
	if len(s) <= maxID && !strings.ContainsFunc(s, unicode.IsControl) {
		*i = lenientID(s)
	}
	return nil
}

// lenientBool reads true, "true" and 1 in any notation as true.
type lenientBool bool

func (v *lenientBool) UnmarshalJSON(b []byte) error {
	b = bytes.Trim(b, `"`)
	n, _ := lenient.WholeNumber(b)
	*v = lenientBool(n == "1" || strings.EqualFold(string(b), "true"))
	return nil
}

// lenientObject reads anything but an object as the zero T.
type lenientObject[T any] struct{ value T }

func (o *lenientObject[T]) UnmarshalJSON(b []byte) error {
	var v T
	if len(b) > 0 && b[0] == '{' && json.Unmarshal(b, &v) != nil {
		v = *new(T)
	}
	o.value = v
	return nil
}

// lenientList reads a list and leaves out what is no object. A list that
// is none is an error: it must not count as empty.
type lenientList[T any] []T

func (l *lenientList[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	var items []json.RawMessage
	if err := json.Unmarshal(b, &items); err != nil {
		return err
	}
	for _, item := range items {
		var v T
		if len(item) > 0 && item[0] == '{' && json.Unmarshal(item, &v) == nil {
			*l = append(*l, v)
		}
	}
	return nil
}

// lenientStrings reads a list of strings or numbers, a single one,
// or null.
type lenientStrings []string

func (l *lenientStrings) UnmarshalJSON(b []byte) error {
	*l = nil
	var many []lenientString
	if json.Unmarshal(b, &many) != nil {
		var one lenientString
		_ = one.UnmarshalJSON(b)
		many = []lenientString{one}
	}
	for _, t := range many {
		if t != "" {
			*l = append(*l, string(t))
		}
	}
	return nil
}

// lenientNumber reads a phone number, or the first of a list.
type lenientNumber string

func (n *lenientNumber) UnmarshalJSON(b []byte) error {
	var list lenientStrings
	_ = list.UnmarshalJSON(b) // never fails
	*n = ""
	if len(list) > 0 {
		*n = lenientNumber(list[0])
	}
	return nil
}

// lenientTime reads RFC 3339 in either case, the same without a zone
// (taken as UTC), and Unix seconds or milliseconds, quoted or not.
type lenientTime struct{ time.Time }

func (t *lenientTime) UnmarshalJSON(b []byte) error {
	var s lenientString
	_ = s.UnmarshalJSON(b)
	t.Time = parseTime(string(s))
	return nil
}

var timeLayouts = []string{ // without a zone
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	time.DateOnly,
}

// parseTime returns the zero time for text in no known format.
func parseTime(s string) time.Time {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return unixTime(n)
	}
	if t, ok := lenient.Time(s); ok {
		return t.UTC()
	}
	s = strings.ToUpper(strings.TrimSpace(s))
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// unixTime distinguishes seconds from milliseconds by size:
// 1e11 seconds is the year 5138, 1e11 milliseconds is 1973.
// Seconds before 1e9 (2001) are no time of a text, but another
// notation, such as 20261130.
func unixTime(n float64) time.Time {
	switch {
	case n >= 1e9 && n < 1e11:
		return time.UnixMilli(int64(n * 1000)).UTC()
	case n >= 1e11 && n < 1e14:
		return time.UnixMilli(int64(n)).UTC()
	}
	return time.Time{} // NaN too
}

// decodeObject fills out from b as far as the fields match. It reports
// false when b is not a JSON object.
func decodeObject(b []byte, out any) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && b[0] == '{' && json.Unmarshal(b, out) == nil
}
