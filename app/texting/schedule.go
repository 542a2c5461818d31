package texting

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the zone database travels with the program
)

// Schedule is a time as people say it: a wall time in a zone, and the offset where that wall time happens twice.
type Schedule struct {
	Local    string `json:"local"`     // "2026-11-24T09:00"
	TimeZone string `json:"time_zone"` // IANA
	Offset   string `json:"offset"`    // "-04:00", only needed where the time is ambiguous
}

const (
	wallFormat   = "2006-01-02T15:04"
	noSeconds    = ":00" // behind a wall time: browsers may write them
	offsetFormat = "-07:00"
	farthest     = 366 * 24 * time.Hour
)

// Choice is one reading of a wall time that happens twice or never.
type Choice struct {
	Local    string    `json:"local"`
	TimeZone string    `json:"time_zone"`
	Offset   string    `json:"offset"`
	At       time.Time `json:"at"`
	Label    string    `json:"label"`
}

// resolve finds the instant of a wall time, never guessing: one that the clocks skip or repeat is asked about.
func (s Schedule) resolve(now time.Time) (time.Time, error) {
	loc, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "" || s.TimeZone == "Local" {
		return time.Time{}, &Problem{Code: "bad_request", Message: "That time zone is not known.", Err: err,
			Details: map[string]any{"field": "schedule.time_zone"}}
	}
	wall, err := time.Parse(wallFormat, s.minute())
	if err != nil {
		return time.Time{}, &Problem{Code: "bad_request", Message: "The time must look like 2026-11-24T09:00.", Err: err,
			Details: map[string]any{"field": "schedule.local"}}
	}
	at, err := s.pick(readings(wall, loc), wall, loc)
	switch {
	case err != nil:
		return at, err
	case !at.After(now):
		return at, problem("time_past", "That time has already passed.")
	case at.Sub(now) > farthest:
		return at, problem("time_too_far", "Texts can be scheduled up to a year ahead.")
	}
	return at, nil
}

// minute is the wall time without seconds, where they were written though there are none.
func (s Schedule) minute() string {
	if len(s.Local) == len(wallFormat)+len(noSeconds) {
		return strings.TrimSuffix(s.Local, noSeconds)
	}
	return s.Local
}

// about is when texts would go, for a preview: now, or the first reading of a time that can still be asked about.
func (s *Schedule) about(now time.Time) time.Time {
	if s == nil {
		return now
	}
	at, err := s.resolve(now)
	var asked *Problem
	if errors.As(err, &asked) {
		if choices, ok := asked.Details["choices"].([]Choice); ok {
			return choices[0].At
		}
	}
	if err != nil {
		return now
	}
	return at
}

func (s Schedule) pick(at []time.Time, wall time.Time, loc *time.Location) (time.Time, error) {
	if s.Offset != "" {
		for _, t := range at {
			if t.In(loc).Format(offsetFormat) == s.Offset {
				return t, nil
			}
		}
		if len(at) > 0 {
			return time.Time{}, &Problem{Code: "bad_request", Message: "That offset does not fit the time zone then.",
				Details: map[string]any{"field": "schedule.offset"}}
		}
	}
	switch len(at) {
	case 1:
		return at[0], nil
	case 0:
		return time.Time{}, &Problem{Code: "time_missing", Message: fmt.Sprintf("%s does not exist that day: the clocks go forward. Which time do you mean?", wall.Format("15:04")),
			Details: map[string]any{"choices": choices(around(wall, loc), loc, "")}}
	}
	return time.Time{}, &Problem{Code: "time_ambiguous", Message: fmt.Sprintf("%s happens twice that day: the clocks go back. Which one do you mean?", wall.Format("15:04")),
		Details: map[string]any{"choices": choices(at, loc, "the clocks go back")}}
}

// readings are the instants, in order, that a clock in the zone shows as this wall time: one, two or none.
func readings(wall time.Time, loc *time.Location) []time.Time {
	var out []time.Time
	for _, offset := range offsets(wall, loc) {
		t := wall.Add(-time.Duration(offset) * time.Second)
		_, real := t.In(loc).Zone()
		if real == offset {
			out = append(out, t)
		}
	}
	return out
}

// around are the two instants next to a wall time that does not exist, in order: read with the offset after the
// change it falls before the gap, with the one before the change behind it.
func around(wall time.Time, loc *time.Location) []time.Time {
	var out []time.Time
	for _, offset := range offsets(wall, loc) {
		out = append(out, wall.Add(-time.Duration(offset)*time.Second))
	}
	return out
}

// offsets are the zone's offsets, in seconds, within a day of a wall time, the larger (earlier instant) first.
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

func choices(at []time.Time, loc *time.Location, change string) []Choice {
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
