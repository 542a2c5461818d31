package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/riverqueue/river"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
	"dialpad-texting/models/queue"
)

// Callback states.
const (
	CallbackAccepted  = "accepted"  // answered, not yet a message
	CallbackSending   = "sending"   // its message is on its way
	CallbackEnding    = "ending"    // its outcome is known, the CRM does not know it yet
	CallbackCompleted = "completed" // the CRM knows the outcome
)

// Callback is one call of the automation action: the text it asks for, and the
// outcome reported to the CRM. It is kept for ever, since the same call has the
// same answer for ever; its request is deleted once the outcome is reported.
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

// Accept stores a call once, with its job, and returns the stored one.
func (s Callbacks) Accept(ctx context.Context, c Callback) (out Callback, created bool, err error) {
	c.State = CallbackAccepted
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		r := tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&c)
		if r.Error != nil {
			return r.Error
		}
		if created = r.RowsAffected == 1; created {
			out = c
			return tx.db.Enqueue(ctx, queue.ExecuteCallback{TenantID: c.TenantID, CallbackID: c.CallbackID})
		}
		out, err = tx.Callbacks.Get(ctx, c.TenantID, c.CallbackID)
		return err
	})
	return out, created, err
}

// Get returns a stored call.
func (s Callbacks) Get(ctx context.Context, tenantID, callbackID string) (Callback, error) {
	var c Callback
	return c, database.Translate(s.l.q(ctx).Take(&c, "tenant_id = ? AND callback_id = ?", tenantID, callbackID).Error)
}

// Update changes a call that is in one of the given states, and returns ErrLost
// when it no longer is.
func (s Callbacks) Update(ctx context.Context, tenantID, callbackID string, from []string, set map[string]any) error {
	return database.MustChange(s.l.q(ctx).Model(&Callback{}).Where("tenant_id = ? AND callback_id = ? AND state IN ?", tenantID, callbackID, from).Updates(set))
}

// EnqueueStalledAllTenants enqueues up to n calls again that have not changed
// since a time, the oldest first, and returns how many. A text of unknown
// outcome is left alone until that has been so since before unknown.
func (s Callbacks) EnqueueStalledAllTenants(ctx context.Context, before, unknown time.Time, n int) (int, error) {
	var open []Callback
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		if err := tx.query(ctx, "stalled_callbacks", map[string]any{"before": before.UTC(), "unknown": unknown.UTC(), "n": n},
			&open); err != nil || len(open) == 0 {
			return err
		}
		ids, jobs := make([]string, len(open)), make([]river.JobArgs, len(open))
		for i, c := range open {
			ids[i] = c.MessageID
			if jobs[i] = (queue.CompleteCallback{TenantID: c.TenantID, CallbackID: c.CallbackID}); c.State == CallbackAccepted {
				jobs[i] = queue.ExecuteCallback{TenantID: c.TenantID, CallbackID: c.CallbackID}
			}
		}
		// These go to the end of the line, so that a CRM that never answers blocks nobody.
		if err := tx.q(ctx).Model(&Callback{}).Where("state <> 'completed' AND message_id IN ?", ids).
			UpdateColumn("updated_at", tx.db.Now()).Error; err != nil {
			return err
		}
		return tx.db.Enqueue(ctx, jobs...)
	})
	return len(open), err
}
