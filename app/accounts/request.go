package accounts

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
)

const (
	// A company's 20 requests a second are shared with its texts and its
	// other tools. Whole directories are spread out; single users, for which
	// a person or a text waits, have a limit of their own.
	usersPerSecond = 8
	pagesPerSecond = 4
	maxTries       = 4 // of a request that met a limit or an outage
	maxBackoff     = 30 * time.Second
)

// request calls f with the tenant's token, at the limiter's rate, and again
// after a limit or an outage. An outage that stays is *eligibility.Refusal
// dialpad_unreachable.
func (a *Accounts) request(ctx context.Context, tenantID string, l *limiters, f func(token string) error) error {
	for try := 1; ; try++ {
		err := a.tokens.Do(ctx, tenantID, func(token string) error {
			if err := l.of(tenantID).Wait(ctx); err != nil {
				// Wait fails early when the deadline is too near; callers
				// that work in parts expect the deadline itself.
				<-ctx.Done()
				return ctx.Err()
			}
			return f(token)
		})
		if !eligibility.IsOutage(err) || isRefusal(err) {
			return err
		}
		if try == maxTries {
			return eligibility.Unreachable(err)
		}
		if err := a.sleep(ctx, backoff(err, try)); err != nil {
			return err
		}
	}
}

func isRefusal(err error) bool {
	var r *eligibility.Refusal
	return errors.As(err, &r)
}

func backoff(err error, try int) time.Duration {
	var e *dialpad.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		return min(e.RetryAfter, maxBackoff)
	}
	return time.Second << (try - 1)
}

// limiters holds one rate limiter a tenant, for this process.
type limiters struct {
	perSecond rate.Limit
	burst     int

	mu       sync.Mutex
	byTenant map[string]*rate.Limiter
}

func newLimiters(perSecond rate.Limit, burst int) *limiters {
	return &limiters{perSecond: perSecond, burst: burst, byTenant: map[string]*rate.Limiter{}}
}

func (l *limiters) of(tenantID string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.byTenant[tenantID]
	if limiter == nil {
		limiter = rate.NewLimiter(l.perSecond, l.burst)
		l.byTenant[tenantID] = limiter
	}
	return limiter
}
