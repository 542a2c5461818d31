package hours

import "time"

// Policy is when a tenant texts.
type Policy struct {
	From, To string // quiet hours by the recipient's clock, "20:00" to "09:00"; "" for none
	Laws     bool   // keep to the law's hours too
}

// Recipient is whom a text goes to.
type Recipient struct {
	Number string // E.164
	Zone   string // from Zone
}

// Window is a time in which a text may go.
type Window struct {
	Opens  time.Time // now, or the end of quiet hours
	Closes time.Time // when the next quiet hours begin; zero for never
}

// Next returns the first window at or after an instant. Opens is at
// itself outside quiet hours, and after it inside them.
//
// The zone of the recipient and the zones of the number's area must
// all allow the text. If they never do at the same time, the
// recipient's zone alone decides; if even then the tenant's quiet
// hours leave nothing of the law's, the law does.
func (p Policy) Next(at time.Time, r Recipient) Window {
	weeks := p.weeks(r.Number)
	if len(weeks) == 0 {
		return Window{Opens: at}
	}
	zone := location(r.Zone)
	places := append([]*time.Location{zone}, areaZones(r.Number)...)
	for _, all := range [][]constraint{combine(places, weeks), combine(places[:1], weeks), combine(places[:1], weeks[len(weeks)-1:])} {
		if opens := nextForAll(at, all); !opens.IsZero() {
			return Window{Opens: opens, Closes: endForAll(opens, all)}
		}
	}
	return Window{Opens: at} // unreachable: each week has a span
}

// weeks are the tenant's week and that of the law, the law's last.
func (p Policy) weeks(number string) []*week {
	var out []*week
	if w, ok := outside(p.From, p.To); ok {
		out = append(out, &w)
	}
	if p.Laws {
		if l, ok := lawFor(number); ok {
			out = append(out, &l.week)
		}
	}
	return out
}

func combine(places []*time.Location, weeks []*week) []constraint {
	var out []constraint
	for _, loc := range places {
		for _, w := range weeks {
			out = append(out, constraint{loc, w})
		}
	}
	return out
}
