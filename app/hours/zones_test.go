package hours

import (
	"archive/zip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"
)

func TestReadZone(t *testing.T) {
	for in, want := range map[string]string{
		"America/New_York": "America/New_York", "America/New_York ": "America/New_York", "\ufeffamerica/new_york\u200b\n": "America/New_York",
		"AMERICA/PORT-AU-PRINCE": "America/Port-au-Prince", "Eastern Standard Time": "America/New_York", "eastern  standard time": "America/New_York",
		"W. Europe Standard Time": "Europe/Berlin", "UTC": "UTC", "utc": "UTC", "-05:00": "UTC-05:00", "UTC-5": "UTC-05:00", "GMT +05:30": "UTC+05:30",
		"+0530": "UTC+05:30", "\u221205:00": "UTC-05:00", "UTC+14:00": "UTC+14:00",
		"": "", " ": "", "null": "", "Local": "", "Etc/Unknown": "", "UTC+15:00": "", "UTC-05:60": "", "05:00": "", "America": "", "../etc/passwd": "",
		"Eastern Time (US & Canada)": "", "EDT": "", "0": "", "America/New\u0000York": "",
	} {
		if got := ReadZone(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if want != "" && ReadZone(want) != want {
			t.Errorf("%q is not read again", want)
		}
	}
}

// What can't be read falls back to the number's area, then to the
// tenant's zone.
func TestUnreadableZonesFallBack(t *testing.T) {
	for _, unreadable := range []string{"", "null", "Etc/Unknown", "Mars/Olympus", "EDT", "Local", "\u200b"} {
		for _, c := range []struct{ number, tenant, want string }{
			{"+12125550142", "Europe/Berlin", "America/New_York"},
			{"+18005550142", "Europe/Berlin ", "Europe/Berlin"},
			{"+18005550142", "nowhere", "UTC"},
			{"erased:1", "America/Denver", "America/Denver"},
		} {
			if got := Zone(unreadable, c.number, c.tenant); got != c.want {
				t.Errorf("%q, %s, %s: %s, want %s", unreadable, c.number, c.tenant, got, c.want)
			}
			midnight := local(t, "2026-12-02T01:18", c.want)
			p := Policy{From: "20:00", To: "09:00", Laws: true}
			if w := p.Next(midnight, Recipient{c.number, Zone(unreadable, c.number, c.tenant)}); !w.Opens.After(midnight) {
				t.Errorf("%q, %s, %s: texted at 01:18", unreadable, c.number, c.tenant)
			}
		}
	}
}

func TestZoneNamesAreThoseOfTheDatabase(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(out)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for _, f := range file.File {
		if name := f.Name; !strings.HasSuffix(name, "/") && name != "Factory" && ReadZone(name) != name {
			t.Errorf("%s is read as %q", name, ReadZone(name))
		}
	}
}

// Area codes whose places libphonenumber names must have the law of
// that state.
func TestAreaCodesHaveTheLawOfTheirState(t *testing.T) {
	byPlace := map[string]string{}
	for _, l := range laws {
		if l.State != "" {
			byPlace[l.Place] = l.State
		}
	}
	for area := 200; area < 1000; area++ {
		number := "+1" + twoDigits(area) + "2345678"
		parsed, err := phonenumbers.Parse(number, "")
		if err != nil {
			t.Fatal(err)
		}
		place, err := phonenumbers.GetGeocodingForNumber(parsed, "en")
		if err != nil || phonenumbers.GetRegionCodeForNumber(parsed) != "US" {
			continue
		}
		want := byPlace[place]
		if i := strings.LastIndex(place, ", "); i >= 0 {
			if state := place[i+2:]; hasLaw(state) {
				want = state
			}
		}
		if l, _ := lawFor(number); want != "" && l.State != want {
			t.Errorf("%d is in %s, but has the law of %q", area, place, l.State)
		}
	}
}

func hasLaw(state string) bool {
	for _, l := range laws {
		if l.State == state {
			return true
		}
	}
	return false
}

// Each state's hours lie in those of its country, and each law says
// where it comes from.
func TestLawsAreAtLeastAsStrictAsTheirCountrys(t *testing.T) {
	if _, err := time.Parse(time.DateOnly, lawsChecked); err != nil {
		t.Error(err)
	}
	for _, l := range laws {
		if l.Name == "" || l.Place == "" || !strings.HasPrefix(l.Source, "http") {
			t.Errorf("%s %s has no source", l.Country, l.State)
		}
		country := laws[lawByArea[l.Country]]
		for d := range l.week {
			if l.week[d][0].from < country.week[d][0].from || l.week[d][0].to > country.week[d][0].to {
				t.Errorf("%s, weekday %d: wider than the country's", l.Place, d)
			}
		}
	}
}
