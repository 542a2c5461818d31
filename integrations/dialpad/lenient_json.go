package dialpad

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// lenientString reads a JSON string, number or bool as text,
// anything else as "". Dialpad's OpenAPI file declares ids as int64
// and shows them as strings. A number keeps all its digits: it never
// becomes a float64.
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
	}
	return nil
}

// lenientBool reads true, "true" and 1 as true.
type lenientBool bool

func (v *lenientBool) UnmarshalJSON(b []byte) error {
	s := strings.ToLower(string(bytes.Trim(b, `"`)))
	*v = s == "true" || s == "1"
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

// lenientTime reads RFC 3339, the same without a zone (taken as UTC),
// and Unix seconds or milliseconds.
type lenientTime struct{ time.Time }

func (t *lenientTime) UnmarshalJSON(b []byte) error {
	var s lenientString
	_ = s.UnmarshalJSON(b)
	t.Time = parseTime(string(s))
	return nil
}

var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	time.DateOnly,
}

// parseTime returns the zero time for text in no known format.
func parseTime(s string) time.Time {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return unixTime(n)
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// unixTime distinguishes seconds from milliseconds by size:
// 1e11 seconds is the year 5138, 1e11 milliseconds is 1973.
func unixTime(n float64) time.Time {
	switch {
	case n > 0 && n < 1e11:
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
