package ledger

import (
	"context"
	"fmt"
	"time"

	"dialpad-texting/models/database"
)

// AcquireAllTenants leases up to n due lanes to a worker. A lane whose
// owner died is taken over here: what that owner had on the wire becomes
// uncertain in the same transaction, so that nobody can put it back into
// the queue later. ahead is how long before it is due a lane may be
// leased.
func (s Lanes) AcquireAllTenants(ctx context.Context, owner string, lease, ahead time.Duration, n int) ([]Lane, error) {
	var lanes []Lane
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		now := tx.db.Now()
		var ids []string
		if err := tx.query(ctx, "acquire_due", map[string]any{"due": now.Add(ahead), "now": now, "n": n}, &ids); err != nil || len(ids) == 0 {
			return err
		}
		if err := tx.query(ctx, "acquire_lease", map[string]any{"owner": owner, "until": now.Add(lease), "ids": database.JSON(ids)}, &lanes); err != nil {
			return err
		}
		return tx.Lanes.markInFlightUncertain(ctx, ids)
	})
	if err == nil {
		// After the transaction that locks the lanes' rows: whoever
		// stores a page locks its batch before its lane.
		err = s.stopOverdueQueued(ctx, lanes)
	}
	if err != nil {
		return nil, err
	}
	return lanes, nil
}

// markInFlightUncertain marks what former owners of lanes had on the
// wire.
func (s Lanes) markInFlightUncertain(ctx context.Context, lanes []string) error {
	err := s.l.exec(ctx, "mark_in_flight_uncertain",
		map[string]any{"text": UnknownOutcome, "now": s.l.db.Now(), "lanes": database.JSON(lanes)})
	if err != nil {
		return fmt.Errorf("take lanes over: %w", err)
	}
	return nil
}

// RenewAllTenants extends a worker's leases and returns the ids it still
// has. A lease that ran out is gone, even if nobody took it: a worker
// that slept past it claims nothing more.
func (s Lanes) RenewAllTenants(ctx context.Context, owner string, lease time.Duration, ids []string) (map[string]bool, error) {
	now := s.l.db.Now()
	var kept []string
	err := s.l.query(ctx, "renew_leases", map[string]any{"until": now.Add(lease), "ids": database.JSON(ids), "owner": owner, "now": now}, &kept)
	return setOf(kept), err
}

// Release ends a lease; the lane is due again at next, nil: when
// something is added. It returns false, and the lane stays leased, when
// something was added since l.Additions was read.
func (s Lanes) Release(ctx context.Context, l Lane, next *time.Time) (bool, error) {
	r := s.l.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ? AND lease_owner = ? AND fence = ? AND additions = ?",
		l.ID, l.TenantID, l.LeaseOwner, l.Fence, l.Additions).
		UpdateColumns(map[string]any{"lease_owner": "", "lease_until": nil, "due_at": database.UTC(next)})
	return r.RowsAffected > 0, r.Error
}

// ReleaseOwnedAllTenants ends all leases of a worker that stops. Its
// lanes are due at once for the next worker.
func (s Lanes) ReleaseOwnedAllTenants(ctx context.Context, owner string) error {
	return s.l.q(ctx).Model(&Lane{}).Where("lease_owner = ?", owner).
		UpdateColumns(map[string]any{"lease_owner": "", "lease_until": nil, "due_at": s.l.db.Now()}).Error
}
