package ledger

import (
	"cmp"
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Batch states.
//
//	scheduled ─time→ preparing ─all pages→ sending ─no open message→ done
//	    └──────────────┴──── pause ⇄ resume ──┴── cancel → cancelled
//	                   └──── no plan, app or connection → held ─release→ the state before
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
	SourceOneToOne   = "one" // one to one
	SourceBulk       = "bulk"
	SourceAutomation = "automation"
	SourceTest       = "test" // to the one who wrote it
)

// Values of Batch.LateDo: what is done when texts are overdue by more
// than LateMinutes.
const (
	LateHold = "hold"
	LateDrop = "drop"
	LateSend = "send"
)

// Batch is a request by a person or an automation to text one or many
// recipients, now or at a time.
type Batch struct {
	ID           string `gorm:"primaryKey"`
	TenantID     string
	UserID       string // CRM user who made it
	UserEmail    string
	UserName     string
	SenderID     string // Dialpad account when the batch was made
	SenderUserID string // CRM user whose Dialpad account sends, "" with automations: each text has its own
	SenderEmail  string // that user's e-mail when the batch was made or changed, to show
	Source       string
	Class        int
	WorkflowID   string
	WorkflowName string

	Module      string
	RecordIDs   []string `gorm:"serializer:json"`
	Selection   string
	Excluded    []string `gorm:"serializer:json"` // records removed while it was scheduled
	ToNumber    string   // of a one-to-one: as clicked, whatever the record says
	ToField     string
	ElseField   string // the phone field of who has no usable number in ToField, "" for none
	Message     string // with merge fields
	SearchText  string // Message as text.Fold returns it
	SearchNames string // UserName and WorkflowName, likewise
	TemplateID  string
	ResendOf    string // batch whose texts it sends again, "" for none

	IdempotencyKey string
	BodyHash       string

	State    string
	Expected int // recipients requested, or prepared once Prepared
	// ExpectedSkipped is how many of them would be left out, as it was
	// last looked at while the batch was scheduled.
	ExpectedSkipped int
	Cursor          string // of the next page to prepare
	Prepared        bool
	PrepareNote     string // why preparing waits, for people

	SendAt    *time.Time // nil: now
	LocalTime string     // "2026-11-24T09:00"; decides when zone rules change
	TimeZone  string
	UTCOffset string

	LateMinutes       int
	LateDo            string
	DeferInQuietHours bool `gorm:"column:move_quiet"` // delay texts to the end of the recipient's quiet hours
	Warning           string
	WarnedAt          *time.Time

	HeldReason string // why it is held or cancelled, for people
	HeldCode   string // the same for programs: see HeldBroken
	HeldAt     *time.Time
	History    string // of Moments, a line each
	Version    int64
	CreatedAt  time.Time
	StartedAt  *time.Time
	FinishedAt *time.Time
	UpdatedAt  time.Time
}

// EncodeIDs encodes ids as a column stores them, for Update.
func EncodeIDs(ids []string) string { return database.JSON(ids) }

// Ended reports whether the batch is done or cancelled.
func (b Batch) Ended() bool { return b.State == BatchDone || b.State == BatchCancelled }

// Sender returns the CRM user whose Dialpad account sends a person's batch.
func (b Batch) Sender() string { return cmp.Or(b.SenderUserID, b.UserID) }

// Create stores a batch, once per tenant, user and idempotency key. If
// there is one already, it returns that one; the caller compares
// BodyHash.
func (s Batches) Create(ctx context.Context, b Batch) (out Batch, created bool, err error) {
	r := s.l.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&b)
	if r.Error != nil || r.RowsAffected == 1 {
		return b, r.RowsAffected == 1, r.Error
	}
	out, err = s.ByIdempotencyKey(ctx, b.TenantID, b.UserID, b.IdempotencyKey)
	return out, false, err
}

// Get returns a batch, or ErrNotFound. A userID other than ""
// restricts it to that user's.
func (s Batches) Get(ctx context.Context, tenantID, userID, id string) (Batch, error) {
	var b Batch
	q := ofUser(s.l.q(ctx).Where("tenant_id = ? AND id = ?", tenantID, id), userID)
	return b, database.Translate(q.Take(&b).Error)
}

// Lock returns a batch, locked until the transaction ends, or ErrNotFound.
func (s Batches) Lock(ctx context.Context, tenantID, id string) (Batch, error) {
	var b Batch
	return b, database.Translate(s.l.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Take(&b, "tenant_id = ? AND id = ?", tenantID, id).Error)
}

// Update changes the columns of a batch that is in one of the from
// states. It returns ErrLost when the batch is in another state.
func (s Batches) Update(ctx context.Context, tenantID, id string, from []string, set map[string]any) error {
	set["version"] = gorm.Expr("version + 1")
	return database.LostIfUnchanged(s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND state IN ?", tenantID, id, from).Updates(withSearch(set)))
}

// UpdateUnchanged changes the columns of b, and returns ErrLost when
// the stored batch has another version or state than b.
func (s Batches) UpdateUnchanged(ctx context.Context, b Batch, set map[string]any) error {
	set["version"] = gorm.Expr("version + 1")
	return database.LostIfUnchanged(s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND state = ? AND version = ?", b.TenantID, b.ID, b.State, b.Version).
		Updates(withSearch(set)))
}

// ByIdempotencyKey returns the batch that a user made with a key, or
// ErrNotFound.
func (s Batches) ByIdempotencyKey(ctx context.Context, tenantID, userID, key string) (Batch, error) {
	var b Batch
	return b, database.Translate(s.l.q(ctx).Take(&b, "tenant_id = ? AND user_id = ? AND idempotency_key = ?", tenantID, userID, key).Error)
}
