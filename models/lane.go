package models

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Lane is a Dialpad company's queue: that is what Dialpad limits. One worker in the fleet drains it at a time, by a
// lease with a fencing number.
type Lane struct {
	ID         string `gorm:"primaryKey"` // the Dialpad company id
	TenantID   string
	DueAt      *time.Time // when a worker should look at it next; while leased, when the lease ends
	LeaseOwner string
	LeaseUntil *time.Time
	Fence      int64

	SlotAt       *time.Time // the next moment a text may go; survives restarts, so that none ends in a burst
	LearnedRate  float64    // texts a minute that Dialpad was seen to take, 0 when it never refused for rate
	LearnedAt    *time.Time
	LimitedAt    *time.Time // when Dialpad last said it was too much
	LimitedWords string

	BulkTurn   int64 // the turn last served among bulks
	ActionTurn int64 // … among automations
	Served     int64
	Wakes      int64 // counts what was added: a lane is given up only if nothing came meanwhile
	UpdatedAt  time.Time
}

// Classes of a message: the order in which a lane serves them.
const (
	ClassPerson     = 0 // one to one
	ClassAutomation = 1
	ClassBulk       = 2
)

// EnsureLane makes the lane of a tenant's company.
func (s *Store) EnsureLane(ctx context.Context, id, tenantID string) error {
	return s.q(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{"tenant_id": tenantID}),
	}).Create(&Lane{ID: id, TenantID: tenantID}).Error
}

// LaneOf returns the tenant's lane.
func (s *Store) LaneOf(ctx context.Context, tenantID, laneID string) (Lane, error) {
	var l Lane
	return l, one(s.q(ctx).Take(&l, "id = ? AND tenant_id = ?", laneID, tenantID).Error)
}

// Wake makes a lane due at a time, at the latest. Call it last in a transaction: it locks the lane's row.
func (s *Store) Wake(ctx context.Context, tenantID, laneID string, at time.Time) error {
	at = at.UTC()
	return s.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ?", laneID, tenantID).UpdateColumns(map[string]any{
		"wakes": gorm.Expr("wakes + 1"),
		// The owner of a lease sees the new wakes itself; another worker looks when the lease ends.
		"due_at": gorm.Expr(`CASE WHEN lease_until > ? AND due_at IS NOT NULL THEN due_at
			WHEN due_at IS NULL OR due_at > ? THEN ? ELSE due_at END`, s.Now(), at, at)}).Error
}

// AcquireLanesAllTenants leases up to n due lanes to a worker. A lane whose former owner died is taken over here:
// what that owner had on the wire becomes uncertain in the same transaction, so that nobody can take it back to the
// queue afterwards.
func (s *Store) AcquireLanesAllTenants(ctx context.Context, owner string, lease, ahead time.Duration, n int) ([]Lane, error) {
	var lanes []Lane
	err := s.Tx(ctx, func(tx *Store) error {
		now := tx.Now()
		forUpdate := "FOR UPDATE SKIP LOCKED"
		if tx.Embedded() {
			forUpdate = ""
		}
		var ids []string
		if err := tx.q(ctx).Raw(`SELECT id FROM lanes WHERE due_at <= ? AND (lease_until IS NULL OR lease_until < ?)
			ORDER BY due_at LIMIT ? `+forUpdate, now.Add(ahead), now, n).Scan(&ids).Error; err != nil || len(ids) == 0 {
			return err
		}
		until := now.Add(lease)
		if err := tx.q(ctx).Raw(`UPDATE lanes SET lease_owner = ?, lease_until = ?, due_at = ?, fence = fence + 1 WHERE id IN `+tx.list()+
			` RETURNING *`, owner, until, until, toJSON(ids)).Find(&lanes).Error; err != nil {
			return err
		}
		return tx.loseInFlight(ctx, ids)
	})
	if err == nil {
		// Not in the transaction that holds the lanes' rows: whoever stores a page locks its batch before its lane.
		err = s.judgeQueued(ctx, lanes)
	}
	if err != nil {
		return nil, err
	}
	return lanes, nil
}

// loseInFlight marks what former owners of lanes had claimed as uncertain: its answer may come or not, and nobody sends
// it again.
func (s *Store) loseInFlight(ctx context.Context, lanes []string) error {
	err := s.q(ctx).Exec(`UPDATE messages SET state = 'uncertain', error_code = 'worker_lost', error_text = @words, settled_at = @now,
		updated_at = @now, untold = true FROM lanes l WHERE l.id IN `+strings.Replace(s.list(), "?", "@lanes", 1)+`
		AND messages.lane_id = l.id AND messages.tenant_id = l.tenant_id AND messages.state = 'sending' AND messages.fence < l.fence`,
		map[string]any{"words": UnknownOutcome, "now": s.Now(), "lanes": toJSON(lanes)}).Error
	return wrap("take lanes over", err)
}

// RenewLanes extends a worker's leases and returns the ids it still has. A lease that ran out is gone, even if
// nobody took it: whoever slept past it claims nothing more.
func (s *Store) RenewLanesAllTenants(ctx context.Context, owner string, lease time.Duration, ids []string) (map[string]bool, error) {
	now := s.Now()
	until := now.Add(lease)
	var have []string
	err := s.q(ctx).Raw(`UPDATE lanes SET lease_until = ?, due_at = ? WHERE id IN `+s.list()+` AND lease_owner = ? AND lease_until > ?
		RETURNING id`, until, until, toJSON(ids), owner, now).Find(&have).Error
	kept := make(map[string]bool, len(have))
	for _, id := range have {
		kept[id] = true
	}
	return kept, err
}

// ReleaseLane gives a lane back, due again at next (nil: when something is added), unless something was added since
// wakes was read: then it is false and the lane stays leased.
func (s *Store) ReleaseLane(ctx context.Context, l Lane, next *time.Time) (bool, error) {
	r := s.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ? AND lease_owner = ? AND fence = ? AND wakes = ?",
		l.ID, l.TenantID, l.LeaseOwner, l.Fence, l.Wakes).
		UpdateColumns(map[string]any{"lease_owner": "", "lease_until": nil, "due_at": utc(next)})
	return r.RowsAffected > 0, r.Error
}

// HandLanesBackAllTenants releases all of a stopping worker's lanes; each is due at once for the next worker.
func (s *Store) HandLanesBackAllTenants(ctx context.Context, owner string) error {
	return s.q(ctx).Model(&Lane{}).Where("lease_owner = ?", owner).
		UpdateColumns(map[string]any{"lease_owner": "", "lease_until": nil, "due_at": s.Now()}).Error
}

// SavePace stores what the lane learned about Dialpad's limit, and no slot before a time.
func (s *Store) SavePace(ctx context.Context, l Lane) error {
	return s.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ? AND fence = ?", l.ID, l.TenantID, l.Fence).
		UpdateColumns(map[string]any{"slot_at": utc(l.SlotAt), "learned_rate": l.LearnedRate, "learned_at": utc(l.LearnedAt),
			"limited_at": utc(l.LimitedAt), "limited_words": l.LimitedWords}).Error
}

// nextTurns gives n messages of a sender their turns in a class: after that sender's last one, and not before what
// the lane serves now. So bulks of several senders alternate, whatever their sizes.
func (s *Store) nextTurns(ctx context.Context, l Lane, class int, sender string, n int) (first int64, err error) {
	if class == ClassPerson {
		return 0, nil
	}
	served := l.BulkTurn
	if class == ClassAutomation {
		served = l.ActionTurn
	}
	if err := s.q(ctx).Exec(`INSERT INTO lane_turns (lane_id, class, sender_id, turn) VALUES (?, ?, ?, ?)
		ON CONFLICT (lane_id, class, sender_id) DO UPDATE SET turn =
		CASE WHEN lane_turns.turn > ? THEN lane_turns.turn ELSE ? END + ?`,
		l.ID, class, sender, served+int64(n), served, served, n).Error; err != nil {
		return 0, err
	}
	var last int64
	err = s.q(ctx).Raw("SELECT turn FROM lane_turns WHERE lane_id = ? AND class = ? AND sender_id = ?", l.ID, class, sender).
		Scan(&last).Error
	return last - int64(n) + 1, err
}

// resetTurns lets a sender whose texts left the queue start again from where the lane is.
func (s *Store) resetTurns(ctx context.Context, laneID string, class int, sender string) error {
	return s.q(ctx).Exec(`DELETE FROM lane_turns WHERE lane_id = ? AND class = ? AND sender_id = ? AND NOT EXISTS (
		SELECT 1 FROM messages m WHERE m.lane_id = lane_turns.lane_id AND m.class = lane_turns.class
		AND CASE WHEN m.class = 1 THEN m.batch_id ELSE m.sender_id END = lane_turns.sender_id AND m.state = 'queued')`, laneID, class, sender).Error
}
