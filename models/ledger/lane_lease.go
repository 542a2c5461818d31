package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// AcquireAllTenants leases up to n lanes to a worker for a time. It
// leases lanes that are due within ahead, also those whose former
// lease has run out. What the former owner had posted becomes uncertain in
// the same transaction, so that it can't be queued again; what it had only
// claimed is queued again.
// The lanes may be leased also where it returns an error, which then is
// about other lanes.
func (s Lanes) AcquireAllTenants(ctx context.Context, owner string, lease, ahead time.Duration, n int) ([]Lane, error) {
	var lanes []Lane
	var ended []Transition
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		lanes, ended = nil, nil
		var ids []string
		if err := tx.query(ctx, "acquire_due", tx.leaseArgs(ahead, map[string]any{"n": n}), &ids); err != nil || len(ids) == 0 {
			return err
		}
		if err := tx.query(ctx, "acquire_lease", tx.leaseArgs(lease, map[string]any{"owner": owner, "ids": database.JSON(ids)}), &lanes); err != nil {
			return err
		}
		var err error
		ended, err = tx.Lanes.takeOverInFlight(ctx, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	followUp := s.l.FollowUp(ctx, ended)
	// Outside the transaction, which locks the lanes: preparing locks a
	// batch before its lane. A lane that can't be checked is left until
	// its lease runs out; the others go on.
	unchecked, err := lateRule(s).stopOverdueQueued(ctx, lanes)
	return slices.DeleteFunc(lanes, func(l Lane) bool { return unchecked[l.ID] }), errors.Join(followUp, err)
}

// leaseArgs adds the arguments of a statement about leases: lease_now, until
// (lease_now and d) and seconds (d). lease_now is nil where the database's own
// clock counts: the machines' clocks may differ by more than a lease.
func (l *Ledger) leaseArgs(d time.Duration, args map[string]any) map[string]any {
	now := l.db.Now()
	args["lease_now"], args["until"], args["seconds"] = now, now.Add(d), d.Seconds()
	if l.db.LeasesByItsClock() {
		args["lease_now"] = nil
	}
	return args
}

// leaseStands is the condition that a lane's lease has not run out.
func (l *Ledger) leaseStands() clause.Expr {
	if l.db.LeasesByItsClock() {
		return gorm.Expr("lease_until > statement_timestamp()")
	}
	return gorm.Expr("lease_until > ?", l.db.Now())
}

// takeOverInFlight ends what former owners of the lanes had claimed, and
// returns it. Call it in a transaction.
func (s Lanes) takeOverInFlight(ctx context.Context, lanes []string) (ended []Transition, err error) {
	err = s.l.query(ctx, "take_over_in_flight", map[string]any{"text": UnknownOutcome, "now": s.l.db.Now(), "lanes": database.JSON(lanes)}, &ended)
	if err == nil {
		err = s.l.Counters.count(ctx, ended)
	}
	if err != nil {
		return nil, fmt.Errorf("take lanes over: %w", err)
	}
	return ended, nil
}

// RenewAllTenants extends a worker's leases and returns the ids of the
// lanes it still leases. A lease that has run out is not renewed, even
// if no other worker has one.
func (s Lanes) RenewAllTenants(ctx context.Context, owner string, lease time.Duration, ids []string) (map[string]bool, error) {
	var renewed []string
	err := s.l.query(ctx, "renew_leases", s.l.leaseArgs(lease, map[string]any{"ids": database.JSON(ids), "owner": owner}), &renewed)
	return setOf(renewed), err
}

// Release ends a lease. The lane is due again at next or, for nil, at
// the next MarkDue. Release returns false, and the lane stays leased,
// when messages were added since l.Additions was read.
func (s Lanes) Release(ctx context.Context, l Lane, next *time.Time) (bool, error) {
	r := s.l.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ? AND lease_owner = ? AND fence = ? AND additions = ?",
		l.ID, l.TenantID, l.LeaseOwner, l.Fence, l.Additions).
		UpdateColumns(map[string]any{"lease_owner": "", "lease_until": nil, "due_at": database.UTC(next)})
	return r.RowsAffected > 0, r.Error
}

// ReleaseOwnedAllTenants ends all leases of a worker. The lanes are
// due at once.
func (s Lanes) ReleaseOwnedAllTenants(ctx context.Context, owner string) error {
	return s.l.q(ctx).Model(&Lane{}).Where("lease_owner = ?", owner).
		UpdateColumns(map[string]any{"lease_owner": "", "lease_until": nil, "due_at": s.l.db.Now()}).Error
}
