// Package walltime reads the times that people choose: a wall time in a
// time zone. It never guesses: a wall time that the clocks skip or
// repeat is asked about, with the choices.
package walltime

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the zone database is part of the program

	"dialpad-texting/app/apierror"
)

// Schedule is a wall time in a zone. Offset is needed where that wall
// time happens twice.
type Schedule struct {
	Local    string `json:"local"`     // "2026-11-24T09:00"
	TimeZone string `json:"time_zone"` // IANA
	Offset   string `json:"offset"`    // "-04:00"
}

const (
	wallFormat   = "2006-01-02T15:04"
	noSeconds    = ":00" // browsers may append them
	offsetFormat = "-07:00"
	maxAhead     = 366 * 24 * time.Hour
)

// Resolve returns the instant of a wall time, which must be in the next
// year. Errors are *apierror.Error; time_missing and time_ambiguous
// have choices.
func (s Schedule) Resolve(now time.Time) (time.Time, error) {
	loc, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "" || s.TimeZone == "Local" {
		e := apierror.Field("schedule.time_zone", "That time zone is not known.")
		e.Err = err
		return time.Time{}, e
	}
	wall, err := time.Parse(wallFormat, s.Minute())
	if err != nil {
		e := apierror.Field("schedule.local", "The time must look like 2026-11-24T09:00.")
		e.Err = err
		return time.Time{}, e
	}
	at, err := s.pick(readings(wall, loc), wall, loc)
	switch {
	case err != nil:
		return at, err
	case !at.After(now):
		return at, apierror.New("time_past", "That time has already passed.")
	case at.Sub(now) > maxAhead:
		return at, apierror.New("time_too_far", "Texts can be scheduled up to a year ahead.")
	}
	return at, nil
}

// Minute is the wall time without seconds.
func (s Schedule) Minute() string {
	if len(s.Local) == len(wallFormat)+len(noSeconds) {
		return strings.TrimSuffix(s.Local, noSeconds)
	}
	return s.Local
}

// Estimate is when texts would go, for a preview: the first choice of
// an ambiguous time; now for no schedule, or one that can't be read.
func (s *Schedule) Estimate(now time.Time) time.Time {
	if s == nil {
		return now
	}
	at, err := s.Resolve(now)
	var refused *apierror.Error
	if errors.As(err, &refused) {
		if choices, ok := refused.Details["choices"].([]Choice); ok {
			return choices[0].At
		}
	}
	if err != nil {
		return now
	}
	return at
}

// Reread resolves a stored schedule with today's zone rules, which may
// have changed. It returns false where the wall time no longer has one
// reading.
func (s Schedule) Reread() (time.Time, bool) {
	loc, err := time.LoadLocation(s.TimeZone)
	wall, err2 := time.Parse(wallFormat, s.Local)
	if err != nil || err2 != nil || s.TimeZone == "" {
		return time.Time{}, false
	}
	at, err := s.pick(readings(wall, loc), wall, loc)
	if err != nil {
		s.Offset = "" // the zone may have another offset by now
		at, err = s.pick(readings(wall, loc), wall, loc)
	}
	return at.UTC(), err == nil
}

// OffsetAt is a zone's offset at an instant, "-04:00"; "" for an unknown zone.
func OffsetAt(at time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return ""
	}
	return at.In(loc).Format(offsetFormat)
}

// pick chooses the one reading, by Offset where there are two.
func (s Schedule) pick(at []time.Time, wall time.Time, loc *time.Location) (time.Time, error) {
	if s.Offset != "" {
		for _, t := range at {
			if t.In(loc).Format(offsetFormat) == s.Offset {
				return t, nil
			}
		}
		if len(at) > 0 {
			return time.Time{}, apierror.Field("schedule.offset", "That offset does not fit the time zone then.")
		}
	}
	clock := wall.Format("15:04")
	switch len(at) {
	case 1:
		return at[0], nil
	case 0:
		return time.Time{}, ask("time_missing", fmt.Sprintf("%s does not exist that day: the clocks go forward. Which time do you mean?", clock),
			choicesOf(around(wall, loc), loc, ""))
	}
	return time.Time{}, ask("time_ambiguous", fmt.Sprintf("%s happens twice that day: the clocks go back. Which one do you mean?", clock),
		choicesOf(at, loc, "the clocks go back"))
}

func ask(code, question string, choices []Choice) *apierror.Error {
	return &apierror.Error{Code: code, Message: question, Details: map[string]any{"choices": choices}}
}
