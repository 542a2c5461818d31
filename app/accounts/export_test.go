package accounts

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// Unpaced asks as fast as it can, where a test is not about the pace.
func (a *Accounts) Unpaced() {
	a.singles, a.pages = newPaces(rate.Inf, 1), newPaces(rate.Inf, 1)
}

// Restless lets tests wait for nothing; the function gives how long it would have been.
func (a *Accounts) Restless() func() []time.Duration {
	var all []time.Duration
	a.rest = func(_ context.Context, d time.Duration) error {
		all = append(all, d)
		return nil
	}
	return func() []time.Duration { return all }
}
