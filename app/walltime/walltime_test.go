package walltime_test

import (
	"errors"
	"testing"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/walltime"
)

// now is 10:00 in New York.
var now = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

func resolve(local, zone, offset string) (time.Time, error) {
	return walltime.Schedule{Local: local, TimeZone: zone, Offset: offset}.Resolve(now)
}

func TestResolve(t *testing.T) {
	for _, c := range []struct{ local, zone, want, offset string }{
		{"2026-03-03T09:00", "America/New_York", "2026-03-03T14:00:00Z", "-05:00"},
		{"2026-03-09T09:00", "America/New_York", "2026-03-09T13:00:00Z", "-04:00"},
		{"2026-03-08T01:59", "America/New_York", "2026-03-08T06:59:00Z", "-05:00"},
		{"2026-03-08T03:00", "America/New_York", "2026-03-08T07:00:00Z", "-04:00"},
		{"2026-11-01T02:00", "America/New_York", "2026-11-01T07:00:00Z", "-05:00"},
		{"2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00:00Z", "+02:00"},
		{"2026-12-24T18:00", "Europe/Berlin", "2026-12-24T17:00:00Z", "+01:00"},
		{"2026-10-04T02:30", "Australia/Lord_Howe", "2026-10-03T15:30:00Z", "+11:00"},
		{"2026-07-01T09:00", "Australia/Lord_Howe", "2026-06-30T22:30:00Z", "+10:30"},
		{"2026-03-08T02:30", "Asia/Kathmandu", "2026-03-07T20:45:00Z", "+05:45"},
		{"2026-03-08T02:30", "America/Phoenix", "2026-03-08T09:30:00Z", "-07:00"},
		{"2026-11-01T01:30", "America/Phoenix", "2026-11-01T08:30:00Z", "-07:00"},
	} {
		at, err := resolve(c.local, c.zone, "")
		if got := at.UTC().Format(time.RFC3339); err != nil || got != c.want || walltime.OffsetAt(at, c.zone) != c.offset {
			t.Errorf("%s in %s is %s (%s), %v", c.local, c.zone, got, walltime.OffsetAt(at, c.zone), err)
		}
	}
}

func TestResolveOffersChoicesAtClockChanges(t *testing.T) {
	for _, c := range []struct {
		local, zone, code string
		instants          [2]string
	}{
		{"2026-03-08T02:30", "America/New_York", "time_missing", [2]string{"2026-03-08T06:30:00Z", "2026-03-08T07:30:00Z"}},
		{"2026-11-01T01:30", "America/New_York", "time_ambiguous", [2]string{"2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"}},
		{"2026-03-29T02:30", "Europe/Berlin", "time_missing", [2]string{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}},
		{"2026-10-25T02:30", "Europe/Berlin", "time_ambiguous", [2]string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}},
		{"2026-10-04T02:15", "Australia/Lord_Howe", "time_missing", [2]string{"2026-10-03T15:15:00Z", "2026-10-03T15:45:00Z"}},
		{"2026-04-05T01:45", "Australia/Lord_Howe", "time_ambiguous", [2]string{"2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"}},
	} {
		_, err := resolve(c.local, c.zone, "")
		var e *apierror.Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s in %s: %v", c.local, c.zone, err)
			continue
		}
		choices := e.Details["choices"].([]walltime.Choice)
		if len(choices) != 2 || choices[0].Label == choices[1].Label {
			t.Fatalf("choices %+v", choices)
		}
		for i, choice := range choices {
			if got := choice.At.Format(time.RFC3339); got != c.instants[i] {
				t.Errorf("%s in %s: choice %d is %s", c.local, c.zone, i, got)
			}
			at, err := resolve(choice.Local, choice.TimeZone, choice.Offset)
			if err != nil || !at.Equal(choice.At) {
				t.Errorf("choosing %+v made it %s, %v", choice, at, err)
			}
		}
	}
}

func TestResolveRefusesInvalidTimes(t *testing.T) {
	for _, c := range []struct{ local, zone, offset, code string }{
		{"2026-03-02T09:59", "America/New_York", "", "time_past"},
		{"2026-03-02T10:00", "America/New_York", "", "time_past"},
		{"2020-01-01T00:00", "America/New_York", "", "time_past"},
		{"2027-03-04T09:00", "America/New_York", "", "time_too_far"},
		{"2026-03-03T09:00", "America/Gotham", "", "bad_request"},
		{"2026-03-03T09:00", "", "", "bad_request"},
		{"2026-03-03T09:00", "Local", "", "bad_request"},
		{"2026-03-03 09:00", "America/New_York", "", "bad_request"},
		{"2026-03-03T09:00:30", "America/New_York", "", "bad_request"},
		{"2026-02-30T09:00", "America/New_York", "", "bad_request"},
		{"2026-03-03T09:00", "America/New_York", "+02:00", "bad_request"},
		{"2026-11-01T01:30", "America/New_York", "+02:00", "bad_request"},
	} {
		_, err := resolve(c.local, c.zone, c.offset)
		var e *apierror.Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
