package compose

import (
	"testing"
	"time"
)

// TestQuietUntil reads wall clocks across midnights, months and clock changes.
func TestQuietUntil(t *testing.T) {
	for _, c := range []struct{ at, zone, from, to, want string }{
		{"2026-03-02T19:59", "America/New_York", "20:00", "08:00", ""},
		{"2026-03-02T20:00", "America/New_York", "20:00", "08:00", "2026-03-03T08:00"},
		{"2026-03-02T23:59", "America/New_York", "20:00", "08:00", "2026-03-03T08:00"},
		{"2026-03-03T00:00", "America/New_York", "20:00", "08:00", "2026-03-03T08:00"},
		{"2026-03-03T07:59", "America/New_York", "20:00", "08:00", "2026-03-03T08:00"},
		{"2026-03-03T08:00", "America/New_York", "20:00", "08:00", ""},
		{"2026-12-31T22:00", "Europe/Berlin", "20:00", "08:00", "2027-01-01T08:00"},
		{"2026-02-28T22:00", "Asia/Kathmandu", "20:00", "08:00", "2026-03-01T08:00"},
		{"2026-03-07T22:00", "America/New_York", "20:00", "08:00", "2026-03-08T08:00"}, // the clocks go forward that night
		{"2026-10-24T22:00", "Europe/Berlin", "20:00", "08:00", "2026-10-25T08:00"},    // and back
		{"2026-04-04T22:00", "Australia/Lord_Howe", "20:00", "08:00", "2026-04-05T08:00"},
		{"2026-11-01T00:30", "America/Phoenix", "20:00", "08:00", "2026-11-01T08:00"},
		{"2026-03-02T12:30", "America/New_York", "12:00", "13:00", "2026-03-02T13:00"}, // within one day
		{"2026-03-02T13:00", "America/New_York", "12:00", "13:00", ""},
		{"2026-03-02T23:00", "America/New_York", "", "", ""},
		{"2026-03-02T23:00", "", "20:00", "08:00", ""},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.ParseInLocation("2006-01-02T15:04", c.at, loc)
		if err != nil {
			t.Fatal(err)
		}
		until := QuietUntil(at, c.zone, c.from, c.to)
		got := ""
		if !until.IsZero() {
			got = until.In(loc).Format("2006-01-02T15:04")
		}
		if got != c.want {
			t.Errorf("%s in %q, quiet from %s to %s: until %q, want %q", c.at, c.zone, c.from, c.to, got, c.want)
		}
	}
}
