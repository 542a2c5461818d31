package models

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Callback states.
const (
	CallbackAccepted  = "accepted"  // answered, not yet a message
	CallbackSending   = "sending"   // its message is on its way
	CallbackEnding    = "ending"    // its end is known, the CRM has not heard
	CallbackCompleted = "completed" // the CRM has heard
)

// Callback is one call of the automation action: the text it asks for, and what the CRM was told. It is kept for ever,
// since the same call has the same answer for ever; what it asked for is forgotten once the CRM has heard.
type Callback struct {
	TenantID    string `gorm:"primaryKey"`
	CallbackID  string `gorm:"primaryKey"`
	MessageID   string // given at once, so that the same call has the same answer for ever
	BatchID     string
	WorkflowID  string
	Request     json.RawMessage `gorm:"serializer:json"`
	State       string
	Port        string
	Severity    string
	ErrorCode   string
	ErrorText   string
	CreatedAt   time.Time
	UpdatedAt   time.Time
	CompletedAt *time.Time
}

// AcceptCallback stores a call once, with its job, and returns the one that counts.
func (s *Store) AcceptCallback(ctx context.Context, c Callback) (out Callback, created bool, err error) {
	c.State = CallbackAccepted
	err = s.Tx(ctx, func(tx *Store) error {
		r := tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&c)
		if r.Error != nil {
			return r.Error
		}
		if created = r.RowsAffected == 1; created {
			out = c
			return tx.Enqueue(ctx, ExecuteCallback{TenantID: c.TenantID, CallbackID: c.CallbackID})
		}
		out, err = tx.Callback(ctx, c.TenantID, c.CallbackID)
		return err
	})
	return out, created, err
}

// Callback returns a stored call.
func (s *Store) Callback(ctx context.Context, tenantID, callbackID string) (Callback, error) {
	var c Callback
	return c, one(s.q(ctx).Take(&c, "tenant_id = ? AND callback_id = ?", tenantID, callbackID).Error)
}

// UpdateCallback changes a call that is in one of the given states; ErrLost when it no longer is.
func (s *Store) UpdateCallback(ctx context.Context, tenantID, callbackID string, from []string, set map[string]any) error {
	return changed(s.q(ctx).Model(&Callback{}).Where("tenant_id = ? AND callback_id = ? AND state IN ?", tenantID, callbackID, from).Updates(set))
}

// OpenWorkflowBatch returns the batch that takes a workflow's texts of a day, locked, and made if there is none. One
// that was done goes on. A cancelled one took along what was called before it was cancelled, and is returned as it is
// for such a call; later calls get a new one. Call it in the transaction that adds the message.
func (s *Store) OpenWorkflowBatch(ctx context.Context, b Batch, calledAt time.Time) (Batch, error) {
	key := b.IdempotencyKey
	for n := 2; ; n++ {
		found, created, err := s.CreateBatch(ctx, b)
		if err != nil || created {
			return found, err
		}
		if found, err = s.BatchForUpdate(ctx, b.TenantID, found.ID); err != nil {
			return found, err
		}
		if found.State != BatchCancelled {
			return s.addToBatch(ctx, found)
		}
		if found.FinishedAt == nil || !calledAt.After(*found.FinishedAt) {
			return found, nil
		}
		b.ID, b.IdempotencyKey = NewID(), fmt.Sprintf("%s:%d", key, n)
	}
}

// addToBatch counts one more recipient. It also moves the version on: FinishBatches, which can't see the message that
// is being added, sees by it that there is one.
func (s *Store) addToBatch(ctx context.Context, b Batch) (Batch, error) {
	set := map[string]any{"expected": gorm.Expr("expected + 1")}
	from := b.State
	if from == BatchDone {
		b.State, b.FinishedAt = BatchSending, nil
		set["state"], set["finished_at"] = BatchSending, nil
	}
	return b, s.UpdateBatch(ctx, b.TenantID, b.ID, []string{from}, set)
}

// Taken tells whether Dialpad answered that it took the text. One that only an event vouches for has no such answer:
// it counts as sent since the request left.
func (m Message) Taken() bool {
	switch m.State {
	case Sent, Delivered:
		return true
	case Undelivered:
		return m.SentAt != nil && m.ClaimedAt != nil && m.SentAt.After(*m.ClaimedAt)
	}
	return false
}

// PickUpCallbacksAllTenants enqueues up to n calls again that have stood still since a time, those that waited longest
// first, and tells how many. A text of unknown outcome is left alone until it has been so since before unknown.
func (s *Store) PickUpCallbacksAllTenants(ctx context.Context, before, unknown time.Time, n int) (int, error) {
	var open []Callback
	err := s.Tx(ctx, func(tx *Store) error {
		if err := tx.q(ctx).Raw(standing, map[string]any{"before": before.UTC(), "unknown": unknown.UTC(), "n": n}).
			Scan(&open).Error; err != nil || len(open) == 0 {
			return err
		}
		ids, jobs := make([]string, len(open)), make([]river.JobArgs, len(open))
		for i, c := range open {
			ids[i] = c.MessageID
			if jobs[i] = (CompleteCallback{TenantID: c.TenantID, CallbackID: c.CallbackID}); c.State == CallbackAccepted {
				jobs[i] = ExecuteCallback{TenantID: c.TenantID, CallbackID: c.CallbackID}
			}
		}
		// Whoever was picked up goes to the end of the line, so that a CRM that never answers keeps nobody out.
		if err := tx.q(ctx).Model(&Callback{}).Where("state <> 'completed' AND message_id IN ?", ids).
			UpdateColumn("updated_at", tx.Now()).Error; err != nil {
			return err
		}
		return tx.Enqueue(ctx, jobs...)
	})
	return len(open), err
}

const standing = `SELECT c.tenant_id, c.callback_id, c.message_id, c.state FROM callbacks c
	LEFT JOIN messages m ON c.state = 'sending' AND m.id = c.message_id AND m.tenant_id = c.tenant_id
	WHERE c.state <> 'completed' AND c.updated_at < @before
	AND (m.id IS NULL OR m.state NOT IN ('queued', 'waiting', 'sending', 'held', 'uncertain') OR m.state = 'uncertain' AND m.settled_at < @unknown)
	ORDER BY c.updated_at LIMIT @n`

// Spokesman returns the CRM user to ask the CRM as where no person asks: the given one, else an admin, else anybody
// who is active. ErrNotFound where nobody is known.
func (s *Store) Spokesman(ctx context.Context, tenantID, userID string) (User, error) {
	var found []User
	err := s.q(ctx).Where("tenant_id = ? AND active", tenantID).
		Order(clause.Expr{SQL: "CASE WHEN user_id = ? THEN 0 WHEN role = 'admin' THEN 1 ELSE 2 END, user_id", Vars: []any{userID}}).
		Limit(1).Find(&found).Error
	if err == nil && len(found) == 0 {
		return User{}, ErrNotFound
	}
	if err != nil {
		return User{}, err
	}
	return found[0], nil
}
