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
	r.Queued, err = store.Messages.CountQueued(ctx, t.ID, c.CompanyID)
	return r, err
}

// After is when the last of n texts will have left, counted from a
// time.
func (r SendRate) After(from time.Time, n int64) time.Time {
	if r.PerMinute == 0 {
		return from.UTC()
	}
	return from.Add(time.Duration(n) * time.Minute / time.Duration(r.PerMinute)).UTC()
}
