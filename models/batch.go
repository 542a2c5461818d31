package models

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
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

// IDList is a list of ids as a column of it holds them, for updates.
func IDList(ids []string) string { return toJSON(ids) }

// Over tells whether nothing more will happen to it.
func (b Batch) Over() bool { return b.State == BatchDone || b.State == BatchCancelled }

// CreateBatch stores a batch, once per (tenant, user, idempotency key): when there is one already it is returned
// with created false, and the caller compares the body.
func (s *Store) CreateBatch(ctx context.Context, b Batch) (out Batch, created bool, err error) {
	r := s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&b)
	if r.Error != nil || r.RowsAffected == 1 {
		return b, r.RowsAffected == 1, r.Error
	}
	err = one(s.q(ctx).Take(&out, "tenant_id = ? AND user_id = ? AND idempotency_key = ?",
		b.TenantID, b.UserID, b.IdempotencyKey).Error)
	return out, false, err
}

// Batch returns a batch of the tenant; userID restricts it to that user's, "" to none.
func (s *Store) Batch(ctx context.Context, tenantID, userID, id string) (Batch, error) {
	var b Batch
	q := s.q(ctx).Where("tenant_id = ? AND id = ?", tenantID, id)
	if userID != "" {
		q = q.Where("user_id = ?", userID)
	}
	return b, one(q.Take(&b).Error)
}

// BatchForUpdate locks a batch until the transaction ends; SQLite has one writer anyway.
func (s *Store) BatchForUpdate(ctx context.Context, tenantID, id string) (Batch, error) {
	var b Batch
	return b, one(s.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Take(&b, "tenant_id = ? AND id = ?", tenantID, id).Error)
}

// UpdateBatch changes a batch that is in one of the given states; ErrLost when it no longer is. So a race between a
// person and the clock is decided by the database.
func (s *Store) UpdateBatch(ctx context.Context, tenantID, id string, from []string, set map[string]any) error {
	set["version"] = gorm.Expr("version + 1")
	return changed(s.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND state IN ?", tenantID, id, from).Updates(set))
}

// UpdateSeen changes a batch that nobody has changed since it was read; ErrLost when somebody did.
func (s *Store) UpdateSeen(ctx context.Context, b Batch, set map[string]any) error {
	set["version"] = gorm.Expr("version + 1")
	return changed(s.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND state = ? AND version = ?", b.TenantID, b.ID, b.State, b.Version).
		Updates(set))
}

// DueBatchesAllTenants returns scheduled batches whose preparing may begin.
func (s *Store) DueBatchesAllTenants(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	var out []Batch
	return out, s.q(ctx).Where("state = 'scheduled' AND send_at <= ?", before.UTC()).Order("send_at").Limit(limit).Find(&out).Error
}

// ScheduledAllTenants pages the batches that wait for their time, by id.
func (s *Store) ScheduledAllTenants(ctx context.Context, after string, limit int) ([]Batch, error) {
	var out []Batch
	return out, s.q(ctx).Where("state = 'scheduled' AND id > ?", after).Order("id").Limit(limit).Find(&out).Error
}

// Warn notes what will go wrong with a scheduled batch, "" for nothing. It is no change that an edit could collide with.
func (s *Store) Warn(ctx context.Context, b Batch, warning string) error {
	set := map[string]any{"warning": warning, "warned_at": nil}
	if warning != "" {
		set["warned_at"] = s.Now()
	}
	return s.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND state = 'scheduled' AND version = ?", b.TenantID, b.ID, b.Version).
		UpdateColumns(set).Error
}

// Warnings are the different warnings of a tenant's scheduled batches, or of one user's ("" is everyone's), soonest first.
func (s *Store) Warnings(ctx context.Context, tenantID, userID string, limit int) ([]string, error) {
	q := s.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = 'scheduled' AND warning <> ''", tenantID)
	if userID != "" {
		q = q.Where("user_id = ?", userID)
	}
	out := []string{}
	return out, q.Group("warning").Order("min(send_at)").Limit(limit).Pluck("warning", &out).Error
}

// BatchFilter selects batches for the outbox; empty fields select all.
type BatchFilter struct {
	UserID, State, Source, Query string
	Number, NumberKey            string // the number that Query is, and its hash; "" for words
}

// Batches pages the outbox, newest first; after is the cursor of the last answer.
func (s *Store) Batches(ctx context.Context, tenantID string, f BatchFilter, after string, limit int) ([]Batch, error) {
	q := s.q(ctx).Where("tenant_id = ?", tenantID)
	if f.UserID != "" {
		q = q.Where("user_id = ?", f.UserID)
	}
	ready := "state IN ('preparing', 'sending') AND send_at > ?" // made ready before its time, it is scheduled to whoever looks
	switch f.State {
	case "":
	case BatchScheduled:
		q = q.Where("state = 'scheduled' OR "+ready, s.Now())
	default:
		q = q.Where("state = ? AND NOT coalesce("+ready+", false)", f.State, s.Now())
	}
	if f.Source != "" {
		q = q.Where("source = ?", f.Source)
	}
	if f.Query != "" {
		like := "%" + escapeLike(f.Query) + "%"
		q = q.Where(`lower(message) LIKE lower(?) ESCAPE '\' OR lower(user_name) LIKE lower(?) ESCAPE '\' OR lower(workflow_name) LIKE lower(?) ESCAPE '\'
			OR to_number <> '' AND to_number IN (?, ?)
			OR source = 'one' AND EXISTS (SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND lower(m.name) LIKE lower(?) ESCAPE '\')
			OR id IN (SELECT batch_id FROM recipients WHERE tenant_id = ? AND number_key = ? AND number_key <> '')`,
			like, like, like, f.Query, f.Number, like, tenantID, f.NumberKey)
	}
	if after != "" {
		// Ids sort by time (UUIDv7), so the id alone is the key set.
		q = q.Where("id < ?", after)
	}
	var out []Batch
	return out, q.Order("id DESC").Limit(limit).Find(&out).Error
}

// OpenBatches returns a tenant's batches in the given states, oldest first, in pages by id.
func (s *Store) OpenBatches(ctx context.Context, tenantID string, states []string, after string, limit int) ([]Batch, error) {
	var out []Batch
	return out, s.q(ctx).Where("tenant_id = ? AND state IN ? AND id > ?", tenantID, states, after).
		Order("id").Limit(limit).Find(&out).Error
}

// CountBatches counts a tenant's batches in a state.
func (s *Store) CountBatches(ctx context.Context, tenantID, state string) (int, error) {
	var n int64
	err := s.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = ?", tenantID, state).Count(&n).Error
	return int(n), err
}

// HeldTooLongAllTenants returns batches held since before a time.
func (s *Store) HeldTooLongAllTenants(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	var out []Batch
	return out, s.q(ctx).Where("state = 'held' AND held_at < ?", before.UTC()).Order("held_at").Limit(limit).Find(&out).Error
}

// UnpreparedAllTenants returns batches that have been preparing without a sign since before a time, so that a lost
// wake-up costs a delay and no text: each tenant's oldest before anyone's second.
func (s *Store) UnpreparedAllTenants(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	var out []Batch
	return out, s.q(ctx).Where("state = 'preparing' AND updated_at < ?", before.UTC()).
		Order("row_number() OVER (PARTITION BY tenant_id ORDER BY updated_at, id), updated_at, id").Limit(limit).Find(&out).Error
}

// FinishBatches marks batches done that have nothing left to wait for. One that a text is being added to is left alone,
// though that text can't be seen yet: its version is another than when this statement began.
func (s *Store) FinishBatches(ctx context.Context, ids []string) error {
	now := s.Now()
	return s.q(ctx).Exec(`UPDATE batches SET state = 'done', finished_at = ?, updated_at = ?, version = batches.version + 1
		FROM (SELECT id, version FROM batches WHERE id IN `+s.list()+`) AS seen
		WHERE batches.id = seen.id AND batches.version = seen.version AND state = 'sending' AND prepared AND NOT EXISTS (
		SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.state IN ('queued', 'waiting', 'sending', 'held'))`,
		now, now, toJSON(ids)).Error
}

// FinishStandingAllTenants ends the batches whose last messages were settled without anyone ending them.
func (s *Store) FinishStandingAllTenants(ctx context.Context, before time.Time) error {
	var ids []string
	err := s.q(ctx).Model(&Batch{}).Where("state = 'sending' AND prepared AND updated_at < ?", before.UTC()).Limit(1000).Pluck("id", &ids).Error
	if err != nil || len(ids) == 0 {
		return err
	}
	return s.FinishBatches(ctx, ids)
}

// BatchByKey returns the batch that a user's idempotency key already made, or ErrNotFound.
func (s *Store) BatchByKey(ctx context.Context, tenantID, userID, key string) (Batch, error) {
	var b Batch
	return b, one(s.q(ctx).Take(&b, "tenant_id = ? AND user_id = ? AND idempotency_key = ?", tenantID, userID, key).Error)
}
