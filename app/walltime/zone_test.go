package walltime_test

import (
	"testing"
	"time"

	"dialpad-texting/app/walltime"
)

func TestZoneFallsBack(t *testing.T) {
	for _, odd := range []string{"", " ", "null", "Etc/Unknown", "Eastern Standard Time", "-05:00", "UTC-5", "Local", "../etc/passwd", "\u200b",
		"America/New_York/x", "EDT", "\x00"} {
		for _, c := range []struct {
			names []string
			want  string
		}{
			{[]string{odd, "America/Denver"}, "America/Denver"}, {[]string{odd, odd, "Asia/Tokyo"}, "Asia/Tokyo"}, {[]string{odd, odd}, "UTC"}, {[]string{odd}, "UTC"},
		} {
			zone, isFirst := walltime.Zone(c.names...)
			if zone != c.want || isFirst {
				t.Errorf("%q: %q, %t; want %q", c.names, zone, isFirst, c.want)
			}
			if _, err := time.LoadLocation(zone); err != nil {
				t.Error(err)
			}
		}
	}
	for _, name := range []string{"America/New_York", "America/New_York ", "\u200bAmerica/New_York\n"} {
		if zone, isFirst := walltime.Zone(name, "Asia/Tokyo"); zone != "America/New_York" || !isFirst {
			t.Errorf("%q: %q, %t", name, zone, isFirst)
		}
	}
}
