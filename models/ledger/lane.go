package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Lane is a Dialpad company's queue: the company is what Dialpad limits.
// One worker in the fleet drains it at a time, by a lease with a fencing
// number.
type Lane struct {
	ID         string `gorm:"primaryKey"` // the Dialpad company id
	TenantID   string
	DueAt      *time.Time // when a worker should poll it next; while leased, when the lease ends
	LeaseOwner string
	LeaseUntil *time.Time
	Fence      int64 // counts the leases: a former owner's writes name an older one

	SlotAt       *time.Time // the next moment a text may go; survives restarts, so that none ends in a burst
	LearnedRate  float64    // texts a minute that Dialpad was seen to accept, 0: it never refused for rate
	LearnedAt    *time.Time
	LimitedAt    *time.Time // when Dialpad last answered that it was too much
	LimitedWords string     // its words

	BulkTurn   int64 // the turn last served among bulks
	ActionTurn int64 // the turn last served among automations
	Served     int64 // texts claimed
	Additions  int64 // counts what was queued: a lane is released only if nothing came meanwhile
	UpdatedAt  time.Time
}

// Classes of a message, in the order in which a lane serves them.
const (
	ClassPerson     = 0 // one to one
	ClassAutomation = 1
	ClassBulk       = 2
)

// Ensure creates the lane of a tenant's company.
func (s Lanes) Ensure(ctx context.Context, id, tenantID string) error {
	return s.l.q(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{"tenant_id": tenantID}),
	}).Create(&Lane{ID: id, TenantID: tenantID}).Error
}

// Get returns the tenant's lane.
func (s Lanes) Get(ctx context.Context, tenantID, laneID string) (Lane, error) {
	var l Lane
	return l, database.Translate(s.l.q(ctx).Take(&l, "id = ? AND tenant_id = ?", laneID, tenantID).Error)
}

// MarkDue makes a lane due at a time at the latest, and counts an
// addition. Call it last in a transaction: it locks the lane's row.
func (s Lanes) MarkDue(ctx context.Context, tenantID, laneID string, at time.Time) error {
	at = at.UTC()
	return s.l.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ?", laneID, tenantID).UpdateColumns(map[string]any{
		"additions": gorm.Expr("additions + 1"),
		// The owner of a lease sees the addition; other workers poll when
		// the lease ends.
		"due_at": gorm.Expr(`CASE WHEN lease_until > ? AND due_at IS NOT NULL THEN due_at
			WHEN due_at IS NULL OR due_at > ? THEN ? ELSE due_at END`, s.l.db.Now(), at, at)}).Error
}

// SavePace stores what the lane learned about Dialpad's limit, and its
// next slot.
func (s Lanes) SavePace(ctx context.Context, l Lane) error {
	return s.l.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ? AND fence = ?", l.ID, l.TenantID, l.Fence).
		UpdateColumns(map[string]any{"slot_at": database.UTC(l.SlotAt), "learned_rate": l.LearnedRate,
			"learned_at": database.UTC(l.LearnedAt), "limited_at": database.UTC(l.LimitedAt), "limited_words": l.LimitedWords}).Error
}
