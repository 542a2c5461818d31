package hours

import (
	"testing"
	"time"
)

func local(t *testing.T, text, zone string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02T15:04", text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestNextReadsTheWallClock covers midnights,
// months and clock changes, without laws.
func TestNextReadsTheWallClock(t *testing.T) {
	const unlocated = "+8001234567"
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
		{"2026-03-02T12:30", "America/New_York", "00:00", "13:00", "2026-03-02T13:00"},
		{"2026-03-02T23:00", "America/New_York", "", "", ""},
		{"2026-03-02T23:00", "America/New_York", "8pm", "9am", ""},
		{"2027-03-14T01:35", "America/New_York", "20:00", "02:30", "2027-03-14T03:00"}, // 02:30 does not exist
		{"2027-03-14T01:35", "America/New_York", "20:00", "02:00", "2027-03-14T03:00"},
		{"2027-03-14T01:35", "America/New_York", "20:00", "03:00", "2027-03-14T03:00"},
		{"2026-09-05T23:30", "America/Santiago", "20:00", "00:00", "2026-09-06T01:00"}, // midnight does not exist
		{"2027-03-13T23:30", "America/Havana", "20:00", "00:30", "2027-03-14T01:00"},
	} {
		at := local(t, c.at, c.zone)
		opens := Policy{From: c.from, To: c.to}.Next(at, Recipient{unlocated, c.zone}).Opens
		got := ""
		if !opens.Equal(at) {
			got = opens.In(at.Location()).Format("2006-01-02T15:04")
		}
		if got != c.want {
			t.Errorf("%s in %s, quiet from %s to %s: until %q, want %q", c.at, c.zone, c.from, c.to, got, c.want)
		}
	}
}

// In November 01:30 comes twice in New York: quiet
// hours that end then end twice.
func TestNextInTheHourThatComesTwice(t *testing.T) {
	first := time.Date(2026, 11, 1, 5, 0, 0, 0, time.UTC) // 01:00 EDT
	p, r := Policy{From: "20:00", To: "01:30"}, Recipient{"+8001234567", "America/New_York"}
	for _, c := range []struct{ at, opens, closes int }{ // minutes after 01:00 EDT
		{-30, 30, 60}, {0, 30, 60}, {29, 30, 60}, {30, 30, 60}, {59, 59, 60}, // until 01:00 EST
		{60, 90, 20 * 60}, {89, 90, 20 * 60}, {90, 90, 20 * 60}, {120, 120, 20 * 60},
	} {
		w := p.Next(first.Add(time.Duration(c.at)*time.Minute), r)
		opens, closes := w.Opens.Sub(first).Minutes(), w.Closes.Sub(first).Minutes()
		if int(opens) != c.opens || int(closes) != c.closes {
			t.Errorf("at %d: %v to %v, want %d to %d", c.at, opens, closes, c.opens, c.closes)
		}
	}
}

func TestStrictestOfZonesAndLaws(t *testing.T) {
	const (
		newYork, texas, florida, rhodeIsland, kentucky, tollFree, berlin = "+12125550142", "+12145550142", "+13055550142", "+14015550142", "+15025550142", "+18005550142", "+493012345678"
	)
	ninety := Policy{From: "20:00", To: "09:00", Laws: true}
	wide := Policy{From: "23:00", To: "06:00", Laws: true}
	for name, c := range map[string]struct {
		p             Policy
		number, zone  string
		at, in        string
		opens, closes string
	}{
		"default":                      {ninety, newYork, "America/New_York", "2026-12-02T22:40", "America/New_York", "2026-12-03T09:00", "2026-12-03T20:00"},
		"law of the country":           {wide, newYork, "America/New_York", "2026-12-02T21:00", "America/New_York", "2026-12-03T08:00", "2026-12-03T21:00"},
		"law off":                      {Policy{From: "23:00", To: "06:00"}, newYork, "America/New_York", "2026-12-02T21:00", "America/New_York", "2026-12-02T21:00", "2026-12-02T23:00"},
		"law of the state":             {wide, florida, "America/New_York", "2026-12-02T20:30", "America/New_York", "2026-12-03T08:00", "2026-12-03T20:00"},
		"Kentucky":                     {ninety, kentucky, "America/New_York", "2026-12-02T09:30", "America/New_York", "2026-12-02T10:00", "2026-12-02T20:00"},
		"Texas on a Sunday":            {wide, texas, "America/Chicago", "2026-12-06T09:30", "America/Chicago", "2026-12-06T12:00", "2026-12-06T21:00"},
		"Texas on a Monday":            {wide, texas, "America/Chicago", "2026-12-07T09:30", "America/Chicago", "2026-12-07T09:30", "2026-12-07T21:00"},
		"Rhode Island":                 {ninety, rhodeIsland, "America/New_York", "2026-12-04T18:00", "America/New_York", "2026-12-05T10:00", "2026-12-05T17:00"},
		"number of another zone":       {ninety, newYork, "America/Los_Angeles", "2026-12-02T08:00", "America/Los_Angeles", "2026-12-02T09:00", "2026-12-02T17:00"},
		"zones that never agree":       {ninety, rhodeIsland, "Asia/Tokyo", "2026-12-02T03:00", "Asia/Tokyo", "2026-12-02T09:00", "2026-12-02T18:00"},
		"hours that the law forbids":   {Policy{From: "09:00", To: "20:00", Laws: true}, rhodeIsland, "America/New_York", "2026-12-02T20:30", "America/New_York", "2026-12-03T09:00", "2026-12-03T18:00"},
		"toll-free":                    {ninety, tollFree, "America/Denver", "2026-12-02T08:00", "America/Denver", "2026-12-02T09:00", "2026-12-02T20:00"},
		"no law known":                 {ninety, berlin, "Europe/Berlin", "2026-12-02T20:00", "Europe/Berlin", "2026-12-03T09:00", "2026-12-03T20:00"},
		"an offset beside an area":     {ninety, newYork, "UTC-08:00", "2026-12-02T08:59", "America/Los_Angeles", "2026-12-02T09:00", "2026-12-02T17:00"},
		"law without the tenant's own": {Policy{Laws: true}, newYork, "America/New_York", "2026-12-02T22:40", "America/New_York", "2026-12-03T08:00", "2026-12-03T21:00"},
	} {
		t.Run(name, func(t *testing.T) {
			at := local(t, c.at, c.in)
			w := c.p.Next(at, Recipient{c.number, c.zone})
			opens, closes := w.Opens.In(at.Location()).Format("2006-01-02T15:04"), w.Closes.In(at.Location()).Format("2006-01-02T15:04")
			if opens != c.opens || closes != c.closes {
				t.Errorf("%s to %s, want %s to %s", opens, closes, c.opens, c.closes)
			}
		})
	}
}

func TestQuietIsNever(t *testing.T) {
	w := Policy{}.Next(time.Unix(0, 0), Recipient{"+12125550142", "America/New_York"})
	if !w.Opens.Equal(time.Unix(0, 0)) || !w.Closes.IsZero() {
		t.Errorf("%+v", w)
	}
}
