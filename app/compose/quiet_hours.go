package compose

import "time"

// QuietUntil returns when the quiet hours end that an instant falls
// into, in a time zone; the zero time if it falls into none. from and
// to are wall times, "20:00"; from after to spans midnight.
func QuietUntil(at time.Time, zone, from, to string) time.Time {
	if zone == "" || from == to {
		return time.Time{}
	}
	loc, err := time.LoadLocation(zone)
	f, errF := time.Parse("15:04", from)
	u, errU := time.Parse("15:04", to)
	if err != nil || errF != nil || errU != nil {
		return time.Time{}
	}
	l := at.In(loc)
	minute := l.Hour()*60 + l.Minute()
	start, end := f.Hour()*60+f.Minute(), u.Hour()*60+u.Minute()
	quiet := start <= minute && minute < end
	day := l.Day()
	if start > end {
		quiet = minute >= start || minute < end
		if minute >= start {
			day++
		}
	}
	if !quiet {
		return time.Time{}
	}
	return time.Date(l.Year(), l.Month(), day, u.Hour(), u.Minute(), 0, 0, loc)
}
