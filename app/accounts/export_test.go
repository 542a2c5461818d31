package accounts

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// DisableRateLimits lets requests go as fast as they can.
func (a *Accounts) DisableRateLimits() {
	a.userLimiters, a.pageLimiters = newLimiters(rate.Inf, 1), newLimiters(rate.Inf, 1)
}

// RecordBackoffs replaces waiting by recording; the returned function
// returns the recorded waits.
func (a *Accounts) RecordBackoffs() func() []time.Duration {
	var all []time.Duration
	a.sleep = func(_ context.Context, d time.Duration) error {
		all = append(all, d)
		return nil
	}
	return func() []time.Duration { return all }
}
