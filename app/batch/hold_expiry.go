package batch

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/models/ledger"
)

const (
	maxHold       = 7 * 24 * time.Hour
	expiredReason = "Not sent: it was held for seven days"
)

// ExpireHeldAllTenants cancels batches that were held for seven days,
// at most limit. Their messages fail with the reason they were held
// for.
func (s *Scheduler) ExpireHeldAllTenants(ctx context.Context, limit int) (int, error) {
	held, err := s.store.Batches.HeldSinceAllTenants(ctx, s.now().Add(-maxHold), limit)
	if err != nil {
		return 0, err
	}
	for _, b := range held { // one that fails must not stop the others
		err = errors.Join(err, audience.CancelBatch(ctx, s.store, b, ledger.HeldExpired, expiredReason+": "+b.HeldReason, s.now()))
	}
	return len(held), err
}
