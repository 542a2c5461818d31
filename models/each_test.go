package models_test

import (
	"testing"

	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// each runs a test on both databases, by a clock that only the test
// moves.
func each(t *testing.T, f func(t *testing.T, db *seed.DB, clock *seed.Clock)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		clock := seed.NewClock()
		f(t, seed.Store(t, dsn, clock.Now), clock)
	})
}
