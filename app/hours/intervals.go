// Package hours decides when somebody may be texted: by the tenant's
// quiet hours, and by the law of where the number is (laws.json). It
// is pure: no clock, no database.
package hours

import (
	"time"
)

// horizon is how far ahead a time to text is looked for. Hours repeat
// every week; a clock change may cost one day more.
const horizon = 9 * 24 * time.Hour

const (
	day        = 24 * time.Hour
	wallFormat = "15:04"
)

// span is a part of a day, as times of the wall clock since midnight.
// The end is not part of it.
type span struct{ from, to time.Duration }

// week holds the spans of each weekday in which texts may go, in order.
type week [7][]span

// constraint is one place's week: a text may go if its clock is in one
// of the spans.
type constraint struct {
	loc  *time.Location
	week *week
}

// next returns the first instant not before at that is in a span; the
// zero time if there is none before the horizon.
func (c constraint) next(at time.Time) time.Time {
	for until := at.Add(horizon); at.Before(until); {
		local := at.In(c.loc)
		_, change := local.ZoneBounds()
		found := c.nextByClock(at, local)
		if !found.IsZero() && (change.IsZero() || found.Before(change)) {
			return found
		}
		if change.IsZero() {
			return time.Time{}
		}
		at = change // beyond it the clock shows other times
	}
	return time.Time{}
}

// nextByClock is next for a clock that never changes.
func (c constraint) nextByClock(at, local time.Time) time.Time {
	now := sinceMidnight(local)
	for ahead := range 8 {
		midnight := time.Duration(ahead) * day
		for _, s := range c.week[(int(local.Weekday())+ahead)%7] {
			if midnight+s.to > now {
				return at.Add(max(midnight+s.from-now, 0))
			}
		}
	}
	return time.Time{}
}

// end returns when the span ends that an instant is in, and whatever
// follows it without a pause; the zero time if that is beyond the
// horizon.
func (c constraint) end(at time.Time) time.Time {
	for until := at.Add(horizon); at.Before(until); {
		local := at.In(c.loc)
		now, stop := sinceMidnight(local), time.Duration(-1)
		for _, s := range c.week[local.Weekday()] {
			if s.from <= now && now < s.to {
				stop = s.to
			}
		}
		if stop < 0 {
			return at
		}
		at = at.Add(stop - now)
		if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(at) {
			at = change
		}
	}
	return time.Time{}
}

// sinceMidnight is what the wall clock shows.
func sinceMidnight(local time.Time) time.Duration {
	return time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute +
		time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
}

// nextForAll returns the first instant not before at that all
// constraints allow; the zero time if there is none.
func nextForAll(at time.Time, all []constraint) time.Time {
	until := at.Add(horizon)
	for agreed := 0; agreed < len(all); {
		for _, c := range all {
			switch t := c.next(at); {
			case t.IsZero() || t.After(until):
				return time.Time{}
			case t.After(at):
				at, agreed = t, 1
			default:
				agreed++
			}
		}
	}
	return at
}

// endForAll returns the first end of the constraints' spans.
func endForAll(at time.Time, all []constraint) time.Time {
	first := time.Time{}
	for _, c := range all {
		if t := c.end(at); !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// outside returns the week that leaves out the time from one wall time
// to another of each day, "20:00" to "08:00"; ok is false unless both
// can be read and differ.
func outside(from, to string) (w week, ok bool) {
	start, okStart := wallTime(from)
	end, okEnd := wallTime(to)
	if !okStart || !okEnd || start == end {
		return w, false
	}
	spans := []span{{0, start}, {end, day}}
	if start > end {
		spans = []span{{end, start}}
	}
	var open []span
	for _, s := range spans {
		if s.from < s.to {
			open = append(open, s)
		}
	}
	for i := range w {
		w[i] = open
	}
	return w, true
}

func wallTime(v string) (time.Duration, bool) {
	t, err := time.Parse(wallFormat, v)
	return sinceMidnight(t), err == nil
}
