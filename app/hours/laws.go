package hours

import (
	_ "embed"
	"encoding/json"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

//go:embed laws.json
var lawsJSON []byte

// Law says when people of a country or state may be texted.
type Law struct {
	Country  string `json:"country"` // ISO 3166-1 alpha-2
	State    string `json:"state"`   // "" for the whole country
	Place    string `json:"place"`
	Name     string `json:"name"`
	Source   string `json:"source"`   // address of a page
	Weekdays string `json:"weekdays"` // "08:00-21:00"
	Saturday string `json:"saturday"`
	Sunday   string `json:"sunday"`

	week week
}

// laws are what laws.json holds. A state's law is in force instead of
// its country's: each is at least as strict.
var laws, lawsChecked, lawByArea = loadLaws()

// Laws returns all laws and the day on which they were looked up.
func Laws() (list []Law, checked string) { return laws, lawsChecked }

func loadLaws() (list []Law, checked string, byArea map[string]int) {
	var file struct {
		Checked string
		Laws    []struct {
			Law
			AreaCodes string `json:"area_codes"`
		}
	}
	if err := json.Unmarshal(lawsJSON, &file); err != nil {
		panic(err)
	}
	byArea = map[string]int{}
	for i, l := range file.Laws {
		for weekday, text := range []string{l.Sunday, l.Weekdays, l.Weekdays, l.Weekdays, l.Weekdays, l.Weekdays, l.Saturday} {
			from, to, _ := strings.Cut(text, "-")
			start, okStart := wallTime(from)
			end, okEnd := wallTime(to)
			if !okStart || !okEnd || start >= end {
				panic("hours: laws.json has the hours " + text)
			}
			l.week[weekday] = []span{{start, end}}
		}
		list = append(list, l.Law)
		if l.State == "" {
			byArea[l.Country] = i
		}
		for area := range strings.FieldsSeq(l.AreaCodes) {
			byArea[area] = i
		}
	}
	return list, file.Checked, byArea
}

// areaCodeLength is that of area codes in the North American plan.
const areaCodeLength = 3

// lawFor returns the law of where a number is.
func lawFor(number string) (Law, bool) {
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil {
		return Law{}, false
	}
	if national := phonenumbers.GetNationalSignificantNumber(parsed); parsed.GetCountryCode() == 1 && len(national) > areaCodeLength {
		if i, ok := lawByArea[national[:areaCodeLength]]; ok {
			return laws[i], true
		}
	}
	i, ok := lawByArea[phonenumbers.GetRegionCodeForNumber(parsed)]
	if !ok {
		return Law{}, false
	}
	return laws[i], true
}
