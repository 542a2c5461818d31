package hours

import (
	"fmt"
	"testing"
	"time"
)

// TestQuietHoursEndAfterNow is a property of every zone of the database
// at each of its clock changes from 2024 to 2030: the window opens now
// or, in quiet hours, later; it is the first instant that is not quiet,
// and it closes where the next quiet hours begin.
func TestQuietHoursEndAfterNow(t *testing.T) {
	t.Parallel()
	settings := []Policy{{From: "20:00", To: "02:30"}, {From: "20:00", To: "02:00"}, {From: "20:00", To: "00:00"}, {From: "20:00", To: "00:30"},
		{From: "20:00", To: "01:30"}, {From: "20:00", To: "09:00"}, {From: "00:00", To: "03:00"}, {From: "02:15", To: "02:45"}, {From: "23:00", To: "22:00"}}
	changes, seen := 0, map[string]bool{} // many zones are other names of one
	for _, name := range zoneNames {
		loc := load(name)
		if loc == nil {
			t.Errorf("zone %s is not in the database", name)
			continue
		}
		all := changesOf(loc)
		key := clockOf(loc, all)
		if seen[key] {
			continue
		}
		seen[key] = true
		for _, change := range all {
			changes++
			for _, p := range settings {
				for before := -26 * time.Hour; before <= 3*time.Hour; before += 47 * time.Minute {
					checkWindow(t, p, loc, change.Add(before))
				}
				checkWindow(t, p, loc, change)
				checkWindow(t, p, loc, change.Add(-time.Nanosecond))
			}
			if t.Failed() {
				return
			}
		}
	}
	if changes < 500 {
		t.Errorf("only %d clock changes were looked at", changes)
	}
}

// clockOf describes what a zone's clock shows around its changes.
func clockOf(loc *time.Location, changes []time.Time) string {
	key := ""
	for _, change := range changes {
		key += change.Add(-time.Second).In(loc).Format(time.RFC3339) + change.In(loc).Format(time.RFC3339)
	}
	return key
}

// changesOf returns the clock changes from 2024 to 2030, and one
// instant without any for zones that never change.
func changesOf(loc *time.Location) []time.Time {
	out := []time.Time{time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)}
	for at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() <= 2030; {
		_, end := at.In(loc).ZoneBounds()
		if end.IsZero() {
			break
		}
		out, at = append(out, end), end
	}
	return out
}

func checkWindow(t *testing.T, p Policy, loc *time.Location, at time.Time) {
	t.Helper()
	w := p.Next(at, Recipient{"", loc.String()})
	where := fmt.Sprintf("%s at %s, quiet from %s to %s: %s to %s", loc, at.In(loc), p.From, p.To, w.Opens.In(loc), w.Closes.In(loc))
	switch {
	case isQuiet(p, at.In(loc)) != w.Opens.After(at), w.Opens.Before(at):
		t.Errorf("%s: opens at the wrong side of now", where)
	case isQuiet(p, w.Opens.In(loc)):
		t.Errorf("%s: opens in quiet hours", where)
	case w.Opens.After(at) && !isQuiet(p, w.Opens.Add(-time.Second).In(loc)):
		t.Errorf("%s: it was not quiet before it opened", where)
	case !w.Closes.After(w.Opens) || !isQuiet(p, w.Closes.In(loc)) || isQuiet(p, w.Closes.Add(-time.Second).In(loc)):
		t.Errorf("%s: closes at the wrong time", where)
	}
	for q := at.Add(11 * time.Minute); q.Before(w.Opens); q = q.Add(11 * time.Minute) {
		if !isQuiet(p, q.In(loc)) {
			t.Errorf("%s: %s was not quiet", where, q.In(loc))
			return
		}
	}
}

// isQuiet reads quiet hours as a person does: by what the clock shows.
func isQuiet(p Policy, local time.Time) bool {
	clock := local.Format("15:04")
	if p.From < p.To {
		return p.From <= clock && clock < p.To
	}
	return clock >= p.From || clock < p.To
}
