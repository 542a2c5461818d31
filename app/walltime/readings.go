package walltime

import "time"

// readings are the instants, in order, at which a clock in the zone
// shows this wall time: one, two or none.
func readings(wall time.Time, loc *time.Location) []time.Time {
	var out []time.Time
	for _, offset := range offsets(wall, loc) {
		t := wall.Add(-time.Duration(offset) * time.Second)
		_, actual := t.In(loc).Zone()
		if actual == offset {
			out = append(out, t)
		}
	}
	return out
}

// around are the two instants next to a wall time that does not exist,
// in order. With the offset after the change it falls before the gap,
// with the offset before the change behind it.
func around(wall time.Time, loc *time.Location) []time.Time {
	var out []time.Time
	for _, offset := range offsets(wall, loc) {
		out = append(out, wall.Add(-time.Duration(offset)*time.Second))
	}
	return out
}

// offsets are the zone's offsets, in seconds, within a day of a wall
// time, the larger (the earlier instant) first.
func offsets(wall time.Time, loc *time.Location) []int {
	_, before := wall.Add(-26 * time.Hour).In(loc).Zone()
	_, after := wall.Add(26 * time.Hour).In(loc).Zone()
	switch {
	case before == after:
		return []int{before}
	case before > after:
		return []int{before, after}
	}
	return []int{after, before}
}

// Choice is one reading of a wall time that happens twice or never.
type Choice struct {
	Local    string    `json:"local"`
	TimeZone string    `json:"time_zone"`
	Offset   string    `json:"offset"`
	At       time.Time `json:"at"`
	Label    string    `json:"label"` // "01:30 before the clocks go back (EDT)"
}

// choicesOf labels instants; change is what they come before and after.
func choicesOf(at []time.Time, loc *time.Location, change string) []Choice {
	out := make([]Choice, len(at))
	for i, t := range at {
		l := t.In(loc)
		label := l.Format("15:04") + " (" + l.Format("MST") + ")"
		if change != "" {
			label = l.Format("15:04") + " " + []string{"before", "after"}[min(i, 1)] + " " + change + " (" + l.Format("MST") + ")"
		}
		out[i] = Choice{Local: l.Format(wallFormat), TimeZone: loc.String(), Offset: l.Format(offsetFormat), At: t.UTC(), Label: label}
	}
	return out
}
