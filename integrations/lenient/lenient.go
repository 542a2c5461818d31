// Package lenient reads numbers, times and names that other
// systems write in more ways than their documentation says.
//
// JSON has one type of number: 42, 42.0 and 4.2e1 are the same
// value (RFC 8259, 6), and libraries choose the notation. Ids
// must keep all their digits, so none here goes through a
// float64.
package lenient

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// number matches a JSON number: sign, digits, fraction,
// exponent.
var number = regexp.MustCompile(`^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$`)

// maxDigits bounds what an exponent may add: 1e999999999 is no
// id.
const maxDigits = 40

// WholeNumber returns the digits of a JSON number whose value
// is whole, such as 42, 42.0 and 4.2e1. It reports false for
// anything else, quoted numbers too, and for numbers of more
// than 40 digits.
func WholeNumber(raw []byte) (digits string, ok bool) {
	m := number.FindSubmatch(bytes.Trim(raw, " \t\r\n"))
	if m == nil {
		return "", false
	}
	exponent := 0
	if len(m[4]) > 0 {
		var err error
		if exponent, err = strconv.Atoi(string(m[4])); err != nil {
			return "", false
		}
	}
	all := strings.TrimLeft(string(m[2])+string(m[3]), "0")
	if all == "" {
		return "0", true
	}
	shift := exponent - len(m[3]) // of the decimal point, from the end of all
	if shift > maxDigits || shift < -len(all) {
		return "", false
	}
	if shift < 0 {
		if strings.Trim(all[len(all)+shift:], "0") != "" {
			return "", false // a fraction is left
		}
		all = all[:len(all)+shift]
	} else {
		all += strings.Repeat("0", shift)
	}
	if all == "" || len(all) > maxDigits {
		return "", false
	}
	return string(m[1]) + all, true
}

// Int64 returns the value of a whole number, in any notation
// and quoted or not, if an int64 holds it.
func Int64(raw []byte) (int64, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 1 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	digits, ok := WholeNumber(raw)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

// Time parses an RFC 3339 time. As section 5.6 allows, T and Z
// may be in lower case, T may be a space, and the second may be
// 60 (a leap second, read as the next one). Offsets may lack
// their colon (ISO 8601).
func Time(s string) (time.Time, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) > len("2006-01-02") && s[len("2006-01-02")] == ' ' {
		s = s[:len("2006-01-02")] + "T" + s[len("2006-01-02")+1:]
	}
	leap := len(s) > len("2006-01-02T15:04:05") && s[16:19] == ":60"
	if leap {
		s = s[:16] + ":59" + s[19:]
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		t, err := time.Parse(layout, s)
		switch {
		case err != nil:
		case leap:
			return t.Truncate(time.Second).Add(time.Second), true
		default:
			return t, true
		}
	}
	return time.Time{}, false
}
