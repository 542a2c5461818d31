package audience

import (
	"context"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/models"
)

// SendRate is how fast a tenant's texts go out now, and how many are
// queued.
type SendRate struct {
	PerMinute int // 0 is unlimited
	Queued    int64
	// LimitedUntil is when Dialpad's limit lets the next text go, nil
	// where it is not what texts wait for.
	LimitedUntil *time.Time
}

// RateOf reads a tenant's rate: its limit, or what its lane learned.
func RateOf(ctx context.Context, store *models.Store, t models.Tenant) (SendRate, error) {
	r := SendRate{PerMinute: t.AllowedRate()}
	c, err := store.Connections.Get(ctx, t.ID)
	if err != nil {
		return r, apierror.IgnoreNotFound(err)
	}
	l, err := store.Lanes.Get(ctx, t.ID, c.CompanyID)
	if err != nil {
		return r, apierror.IgnoreNotFound(err)
	}
	r.PerMinute = l.AllowedRate(r.PerMinute)
	if l.LimitedAt != nil && l.SlotAt != nil && l.SlotAt.After(store.Now().Add(r.shortWait())) {
		r.LimitedUntil = l.SlotAt
	}
	r.Queued, err = store.Counters.Queued(ctx, t.ID, c.CompanyID)
	return r, err
}

// shortWait is a wait that the rate alone explains.
func (r SendRate) shortWait() time.Duration {
	if r.PerMinute == 0 {
		return time.Second
	}
	return time.Second + 2*time.Minute/time.Duration(r.PerMinute)
}

// After is when the last of n texts will have left, counted from a
// time.
func (r SendRate) After(from time.Time, n int64) time.Time {
	if r.PerMinute == 0 {
		return from.UTC()
	}
	return from.Add(time.Duration(n) * time.Minute / time.Duration(r.PerMinute)).UTC()
}
