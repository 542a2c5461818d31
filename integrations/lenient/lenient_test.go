package lenient

import (
	"encoding/json"
	"math/big"
	"testing"
	"time"
)

func TestWholeNumber(t *testing.T) {
	for raw, want := range map[string]string{
		"42": "42", "42.0": "42", "42.000": "42", "4.2e1": "42", "4.2E+1": "42", "420e-1": "42", " 42 ": "42", "-7.0": "-7",
		"0": "0", "-0": "0", "0.0": "0", "0e9": "0", "0.0e-9": "0", "0.5e1": "5", "0.05e2": "5",
		"9223372036854775807": "9223372036854775807", "9007199254740993.0": "9007199254740993",
		"5.835806903417907e15": "5835806903417907", "1e3": "1000",
		"18446744073709551616": "18446744073709551616",
	} {
		if got, ok := WholeNumber([]byte(raw)); got != want || !ok {
			t.Errorf("WholeNumber(%s) = %q, %t; want %q", raw, got, ok, want)
		}
	}
	for _, raw := range []string{
		"", "null", "true", `"42"`, "42.5", "4.25e1", "1e-1", "0.1", "1e999999999", "1e99999999999999999999", "1e-999999999", "1e41",
		"NaN", "Infinity", "+1", "01", ".5", "1.", "0x10", "1_000", "4 2", "[42]", "{}",
	} {
		if got, ok := WholeNumber([]byte(raw)); ok {
			t.Errorf("WholeNumber(%s) = %q, want none", raw, got)
		}
	}
}

func TestInt64(t *testing.T) {
	for raw, want := range map[string]int64{"7": 7, `"7"`: 7, "7.0": 7, `"7.0"`: 7, "7e2": 700, "-1": -1, "9223372036854775807": 1<<63 - 1} {
		if got, ok := Int64([]byte(raw)); got != want || !ok {
			t.Errorf("Int64(%s) = %d, %t; want %d", raw, got, ok, want)
		}
	}
	for _, raw := range []string{"9223372036854775808", `""`, `"x"`, `"`, "true", "7.5", "null", "{}"} {
		if got, ok := Int64([]byte(raw)); ok {
			t.Errorf("Int64(%s) = %d, want none", raw, got)
		}
	}
}

func TestTime(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"2026-11-24T12:00:00Z": noon, "2026-11-24t12:00:00z": noon, "2026-11-24 12:00:00z": noon, "2026-11-24T12:00:00.000Z": noon,
		"2026-11-24t13:00:00+01:00": noon, "2026-11-24T13:00:00+0100": noon, "2026-11-24T07:00:00-05:00": noon,
		"2026-11-24T12:00:00.5z": noon.Add(500 * time.Millisecond), "2026-11-24T12:00:00,5Z": noon.Add(500 * time.Millisecond),
		"2026-11-24T11:59:60Z": noon, " 2026-11-24T12:00:00Z ": noon, "2026-11-24T12:00:00-00:00": noon,
	} {
		if got, ok := Time(s); !got.Equal(want) || !ok {
			t.Errorf("Time(%q) = %v, %t; want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "soon", "2026-11-24", "2026-11-24T12:00:00", "1767225600", "2026-13-01T00:00:00Z", "2026-11-24T25:00:00Z", "2026-11-24T12:00:61Z"} {
		if got, ok := Time(s); ok {
			t.Errorf("Time(%q) = %v, want none", s, got)
		}
	}
}

// What WholeNumber returns is the number's exact value.
func FuzzWholeNumber(f *testing.F) {
	for _, raw := range []string{"42", "42.0", "4.2e1", "-0.0", "9007199254740993.0", "1e40", "42.5", "x"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		digits, ok := WholeNumber(raw)
		if !ok {
			return
		}
		want, valid := new(big.Rat).SetString(string(raw))
		got, _ := new(big.Rat).SetString(digits)
		if !json.Valid(raw) || valid && got.Cmp(want) != 0 {
			t.Errorf("WholeNumber(%q) = %s", raw, digits)
		}
		if again, ok := WholeNumber([]byte(digits)); again != digits || !ok {
			t.Errorf("WholeNumber(%q) = %q, %t", digits, again, ok)
		}
	})
}

// Time accepts whatever the standard library does.
func FuzzTime(f *testing.F) {
	f.Add("2026-11-24T12:00:00Z")
	f.Add("2026-11-24t13:00:60.9+01:00")
	f.Fuzz(func(t *testing.T, s string) {
		want, err := time.Parse(time.RFC3339Nano, s)
		if got, ok := Time(s); err == nil && (!ok || !got.Equal(want)) {
			t.Errorf("Time(%q) = %v, %t; want %v", s, got, ok, want)
		}
	})
}
