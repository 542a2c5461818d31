package batch

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// DueCounts is what one round of StartDueAllTenants did.
type DueCounts struct{ Started, Held, Dropped, Moved int }

// prepareAhead is how long before its time a batch may be prepared.
// Nothing leaves early: its messages are due at the time.
const prepareAhead = 2 * time.Minute

// StartDueAllTenants starts the scheduled batches whose preparing may
// begin, or applies their late rule. At most limit batches.
func (s *Scheduler) StartDueAllTenants(ctx context.Context, limit int) (n DueCounts, err error) {
	now := s.now()
	due, err := s.store.Batches.DueAllTenants(ctx, now.Add(prepareAhead), limit)
	if err != nil {
		return n, err
	}
	for _, b := range due { // one that fails must not stop the others
		err = errors.Join(err, s.startDue(ctx, b, now, &n))
	}
	return n, err
}

func (s *Scheduler) startDue(ctx context.Context, b ledger.Batch, now time.Time, n *DueCounts) error {
	if at, moved := movedInstant(b); moved && at.After(now) {
		n.Moved++
		return moveSchedule(ctx, s.store, b, at)
	}
	if b.IsLate(*b.SendAt, now) {
		if b.LateDo == ledger.LateDrop {
			n.Dropped++
		} else {
			n.Held++
		}
		return apierror.IgnoreLost(s.store.Batches.UpdateUnchanged(ctx, b, b.LateStop(now)))
	}
	n.Started++
	return apierror.IgnoreLost(s.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Batches.UpdateUnchanged(ctx, b, map[string]any{"state": ledger.BatchPreparing, "started_at": now}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.PrepareBatch{TenantID: b.TenantID, BatchID: b.ID})
	}))
}
