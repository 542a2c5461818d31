package walltime

import (
	"time"

	"dialpad-texting/internal/text"
)

// Zone returns the first of the time zones that the zone database has
// (an IANA name, blanks around it apart), else UTC, and whether that is
// the first one.
func Zone(names ...string) (zone string, isFirst bool) {
	for i, name := range names {
		name = text.Trim(name)
		if name == "" || name == "Local" { // both mean something to time.LoadLocation
			continue
		}
		if _, err := time.LoadLocation(name); err == nil {
			return name, i == 0
		}
	}
	return time.UTC.String(), false
}
