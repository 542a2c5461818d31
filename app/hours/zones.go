package hours

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zone database is part of the program
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

//go:embed zones.json
var zonesJSON []byte

// zoneNames maps names in lower case to names of the zone database.
var zoneNames = loadZoneNames()

func loadZoneNames() map[string]string {
	var file struct {
		Names   []string
		Windows map[string]string
	}
	if err := json.Unmarshal(zonesJSON, &file); err != nil {
		panic(err)
	}
	out := make(map[string]string, len(file.Names)+len(file.Windows))
	for name, zone := range file.Windows {
		out[strings.ToLower(name)] = zone
	}
	for _, name := range file.Names {
		out[strings.ToLower(name)] = name
	}
	return out
}

// offsetPattern matches "UTC-05:00", "GMT+2", "-0500" and "+05:30".
var offsetPattern = regexp.MustCompile(`^(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d{2}))?$`)

const maxOffsetMinutes = 14 * 60

// ReadZone reads a time zone as CRMs write it: a name of the zone
// database in any case, a Windows name, or an offset from UTC. It
// returns the name that this package knows, "" for what can't be read.
func ReadZone(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r)
	}), " ")
	name = strings.ToLower(strings.ReplaceAll(name, "\u2212", "-"))
	if known, ok := zoneNames[name]; ok {
		return known
	}
	m := offsetPattern.FindStringSubmatch(strings.ReplaceAll(name, " ", ""))
	if m == nil {
		return ""
	}
	hours, _ := strconv.Atoi(m[2]) // the pattern admits digits alone
	minutes, _ := strconv.Atoi("0" + m[3])
	if minutes >= 60 || hours*60+minutes > maxOffsetMinutes {
		return ""
	}
	return "UTC" + m[1] + twoDigits(hours) + ":" + twoDigits(minutes)
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// Zone returns where a person is, for Recipient.Zone: the record's
// zone, else the first of the number's area, else the tenant's, else
// UTC. What can't be read counts as not given.
func Zone(record, number, tenant string) string {
	if zone := ReadZone(record); zone != "" {
		return zone
	}
	if area := areaZones(number); len(area) > 0 {
		return area[0].String()
	}
	if zone := ReadZone(tenant); zone != "" {
		return zone
	}
	return "UTC"
}

// location returns a zone that ReadZone or Zone named; UTC for others.
func location(zone string) *time.Location {
	if loc := load(zone); loc != nil {
		return loc
	}
	zone = ReadZone(zone)
	if m := offsetPattern.FindStringSubmatch(strings.ToLower(zone)); m != nil {
		hours, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi("0" + m[3])
		seconds := (hours*60 + minutes) * 60
		if m[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone(zone, seconds)
	}
	if loc := load(zone); loc != nil {
		return loc
	}
	return time.UTC
}

// loaded keeps zones: reading one takes long, and there are few.
var loaded sync.Map

// load returns a zone of the database, nil for others.
func load(name string) *time.Location {
	if loc, ok := loaded.Load(name); ok {
		return loc.(*time.Location)
	}
	if zoneNames[strings.ToLower(name)] != name {
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	loaded.Store(name, loc)
	return loc
}

// Local returns what the clock shows in a zone that Zone named.
func Local(at time.Time, zone string) time.Time { return at.In(location(zone)) }

// maxAreaZones is how many zones a number's area has at most. The
// numbers of toll-free services name all zones of a continent.
const maxAreaZones = 12

// areaZones returns the zones of a number's area code, none if they
// are not known.
func areaZones(number string) []*time.Location {
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil {
		return nil
	}
	names, err := phonenumbers.GetTimezonesForNumber(parsed)
	if err != nil || len(names) > maxAreaZones {
		return nil
	}
	var out []*time.Location
	for _, name := range names {
		if loc := load(name); loc != nil && name != phonenumbers.UNKNOWN_TIMEZONE {
			out = append(out, loc)
		}
	}
	return out
}
