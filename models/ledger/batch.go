package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Batch states: scheduled → preparing → sending → done | cancelled; paused and held on the way.
//
//	scheduled ─time→ preparing ─all pages→ sending ─nothing left→ done
//	    └──────────────┴──── pause ⇄ resume ──┴── cancel → cancelled
//	                   └──── plan, install or connection gone → held (7 days at most) ─resume→ where it was
const (
	BatchScheduled = "scheduled"
	BatchPreparing = "preparing"
	BatchSending   = "sending"
	BatchPaused    = "paused"
	BatchHeld      = "held"
	BatchDone      = "done"
	BatchCancelled = "cancelled"
)

// Sources of a batch.
const (
	SourceOne        = "one"
	SourceBulk       = "bulk"
	SourceAutomation = "automation"
)

// Late rules: what to do with a batch whose time passed by more than LateMinutes.
const (
	LateHold = "hold"
	LateDrop = "drop"
	LateSend = "send"
)

// Batch is one request to text, by one person or one automation: one recipient or many, now or at a time.
type Batch struct {
	ID           string `gorm:"primaryKey"`
	TenantID     string
	UserID       string // who asked
	UserEmail    string
	UserName     string
	SenderID     string // the Dialpad account at the time of asking; the e-mail decides when sending
	SenderEmail  string
	Source       string
	Class        int
	WorkflowID   string
	WorkflowName string

	Module     string
	RecordIDs  []string `gorm:"serializer:json"`
	Selection  string
	Excluded   []string `gorm:"serializer:json"` // records left out while it waited
	ToNumber   string   // one to one: as clicked, authoritative
	ToField    string
	Message    string // with its merge fields
	TemplateID string

	IdempotencyKey string
	BodyHash       string

	State       string
	Expected    int    // recipients asked for; the messages' count once prepared
	Cursor      string // of the next page to prepare
	Prepared    bool
	PrepareNote string // why preparing waits, for the person

	SendAt    *time.Time // nil: now
	LocalTime string     // the wall time as asked, "2026-11-24T09:00"; it wins when zone rules change
	TimeZone  string
	UTCOffset string

	LateMinutes int
	LateDo      string
	MoveQuiet   bool // move texts that would arrive in quiet hours to the morning
	Warning     string
	WarnedAt    *time.Time

	HeldReason string // also why it was cancelled
	HeldCode   string // the same in a word: see HeldBroken
	HeldAt     *time.Time
	Version    int64
	CreatedAt  time.Time
	StartedAt  *time.Time
	FinishedAt *time.Time
	UpdatedAt  time.Time
}

// IDList encodes ids as their column holds them, for updates.
func IDList(ids []string) string { return database.JSON(ids) }

// Ended tells whether the batch is done or cancelled.
func (b Batch) Ended() bool { return b.State == BatchDone || b.State == BatchCancelled }

// Create stores a batch, once per tenant, user and idempotency key. When there
// is one already it returns that with created false, and the caller compares
// the body.
func (s Batches) Create(ctx context.Context, b Batch) (out Batch, created bool, err error) {
	r := s.l.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&b)
	if r.Error != nil || r.RowsAffected == 1 {
		return b, r.RowsAffected == 1, r.Error
	}
	err = database.Translate(s.l.q(ctx).Take(&out, "tenant_id = ? AND user_id = ? AND idempotency_key = ?",
		b.TenantID, b.UserID, b.IdempotencyKey).Error)
	return out, false, err
}

// Get returns a batch of the tenant; a userID restricts it to that user's.
func (s Batches) Get(ctx context.Context, tenantID, userID, id string) (Batch, error) {
	var b Batch
	q := s.l.q(ctx).Where("tenant_id = ? AND id = ?", tenantID, id)
	if userID != "" {
		q = q.Where("user_id = ?", userID)
	}
	return b, database.Translate(q.Take(&b).Error)
}

// Lock returns a batch, locked until the transaction ends. SQLite has one
// writer anyway.
func (s Batches) Lock(ctx context.Context, tenantID, id string) (Batch, error) {
	var b Batch
	return b, database.Translate(s.l.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Take(&b, "tenant_id = ? AND id = ?", tenantID, id).Error)
}

// Update changes a batch that is in one of the given states, and returns ErrLost
// when it no longer is: the database decides a race between a person and the
// clock.
func (s Batches) Update(ctx context.Context, tenantID, id string, from []string, set map[string]any) error {
	set["version"] = gorm.Expr("version + 1")
	return database.MustChange(s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND state IN ?", tenantID, id, from).Updates(set))
}

// UpdateUnchanged changes a batch that nobody has changed since it was read, and
// returns ErrLost when somebody did.
func (s Batches) UpdateUnchanged(ctx context.Context, b Batch, set map[string]any) error {
	set["version"] = gorm.Expr("version + 1")
	return database.MustChange(s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND state = ? AND version = ?", b.TenantID, b.ID, b.State, b.Version).
		Updates(set))
}

// ByIdempotencyKey returns the batch that a user's key made already, or
// ErrNotFound.
func (s Batches) ByIdempotencyKey(ctx context.Context, tenantID, userID, key string) (Batch, error) {
	var b Batch
	return b, database.Translate(s.l.q(ctx).Take(&b, "tenant_id = ? AND user_id = ? AND idempotency_key = ?", tenantID, userID, key).Error)
}
