package accounts

import (
	"context"
	"time"
)

// Restless lets tests wait for nothing; the function gives how long it would have been.
func (a *Accounts) Restless() func() []time.Duration {
	var all []time.Duration
	a.rest = func(_ context.Context, d time.Duration) error {
		all = append(all, d)
		return nil
	}
	return func() []time.Duration { return all }
}
