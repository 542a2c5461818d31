package dialpad

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// looseText takes a JSON string, number or bool as text and anything else as "". Ids are declared int64 by Dialpad's
// file and are strings in all its examples; a number keeps its digits, since it never becomes a float64.
type looseText string

// UnmarshalJSON never fails: one odd field must not lose the object around it.
func (t *looseText) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || string(b) == "null":
	case b[0] == '"':
		var s string
		if json.Unmarshal(b, &s) == nil {
			*t = looseText(strings.ReplaceAll(s, "\x00", "")) // Postgres keeps no NUL in a text
		}
	default:
		*t = looseText(b)
	}
	return nil
}

// looseBool takes true, "true" and 1.
type looseBool bool

func (v *looseBool) UnmarshalJSON(b []byte) error {
	s := strings.ToLower(string(bytes.Trim(b, `"`)))
	*v = s == "true" || s == "1"
	return nil
}

// looseList takes a list of strings or numbers, one of either, or null.
type looseList []string

func (l *looseList) UnmarshalJSON(b []byte) error {
	*l = nil
	var many []looseText
	if json.Unmarshal(b, &many) != nil {
		var one looseText
		_ = one.UnmarshalJSON(b)
		many = []looseText{one}
	}
	for _, t := range many {
		if t != "" {
			*l = append(*l, string(t))
		}
	}
	return nil
}

// looseTime takes RFC 3339, the same without a zone (which is UTC), and unix seconds or milliseconds.
type looseTime struct{ time.Time }

func (t *looseTime) UnmarshalJSON(b []byte) error {
	var s looseText
	_ = s.UnmarshalJSON(b)
	t.Time = parseTime(string(s))
	return nil
}

// parseTime gives the zero time for what it can't read.
func parseTime(s string) time.Time {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return unixTime(n)
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// unixTime tells seconds from milliseconds by size: 1e11 seconds are the year 5138, 1e11 milliseconds 1973.
func unixTime(n float64) time.Time {
	switch {
	case n > 0 && n < 1e11:
		return time.UnixMilli(int64(n * 1000)).UTC()
	case n >= 1e11 && n < 1e14:
		return time.UnixMilli(int64(n)).UTC()
	}
	return time.Time{} // NaN too
}

// decode fills out from b as far as it fits; false when b is no JSON object.
func decode(b []byte, out any) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && b[0] == '{' && json.Unmarshal(b, out) == nil
}
