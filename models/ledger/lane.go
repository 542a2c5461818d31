package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Lane is the queue of a Dialpad company, to which Dialpad's rate
// limit applies. One worker at a time sends from it, by a lease with a
// fencing number.
type Lane struct {
	ID         string `gorm:"primaryKey"` // the Dialpad company id
	TenantID   string
	DueAt      *time.Time // when to poll it next; the lease's end while leased
	LeaseOwner string
	LeaseUntil *time.Time
	Fence      int64 // counts leases; rejects the writes of former owners

	SlotAt       *time.Time // when the next text may be sent; stored, so that a restart causes no burst
	LearnedRate  float64    // texts a minute that Dialpad accepts; 0 before its first refusal
	LearnedAt    *time.Time
	LimitedAt    *time.Time // when Dialpad last refused a text for its rate
	LimitedWords string     // the text of that response

	BulkTurn       int64 // last claimed turn among bulks
	AutomationTurn int64 `gorm:"column:action_turn"` // last claimed turn among automations
	Served         int64 // number of texts claimed
	Additions      int64 // number of calls of MarkDue, see Release
	UpdatedAt      time.Time
}

// AllowedRate returns how many texts a minute the lane sends where the
// tenant allows that many; 0 is unlimited in both.
func (l Lane) AllowedRate(limit int) int {
	if learned := int(l.LearnedRate); learned > 0 && (limit == 0 || learned < limit) {
		return learned
	}
	return limit
}

// Classes of a message, in the order in which they are claimed.
const (
	ClassOneToOne   = 0 // one to one
	ClassAutomation = 1
	ClassBulk       = 2
)

// Ensure creates a lane, or changes the tenant of an existing one.
func (s Lanes) Ensure(ctx context.Context, id, tenantID string) error {
	return s.l.q(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{"tenant_id": tenantID}),
	}).Create(&Lane{ID: id, TenantID: tenantID}).Error
}

// Get returns a lane, or ErrNotFound.
func (s Lanes) Get(ctx context.Context, tenantID, laneID string) (Lane, error) {
	var l Lane
	return l, database.Translate(s.l.q(ctx).Take(&l, "id = ? AND tenant_id = ?", laneID, tenantID).Error)
}

// MarkDue makes a lane due at at or earlier, and increments Additions.
// Call it last in a transaction, as it locks the lane's row.
func (s Lanes) MarkDue(ctx context.Context, tenantID, laneID string, at time.Time) error {
	at = at.UTC()
	return s.l.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ?", laneID, tenantID).UpdateColumns(map[string]any{
		"additions": gorm.Expr("additions + 1"),
		// The owner of a lease reads additions; due_at is for other
		// workers.
		"due_at": gorm.Expr(`CASE WHEN lease_until > ? AND due_at IS NOT NULL THEN due_at
			WHEN due_at IS NULL OR due_at > ? THEN ? ELSE due_at END`, s.l.db.Now(), at, at)}).Error
}

// SavePace stores the lane's next slot, learned rate and last refusal,
// unless the lane was leased again since.
func (s Lanes) SavePace(ctx context.Context, l Lane) error {
	return s.l.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ? AND fence = ?", l.ID, l.TenantID, l.Fence).
		UpdateColumns(map[string]any{"slot_at": database.UTC(l.SlotAt), "learned_rate": l.LearnedRate,
			"learned_at": database.UTC(l.LearnedAt), "limited_at": database.UTC(l.LimitedAt), "limited_words": l.LimitedWords}).Error
}
