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
	CallbackAccepted  = "accepted"  // no message yet
	CallbackSending   = "sending"   // has a message
	CallbackEnding    = "ending"    // outcome known, not reported to the CRM yet
	CallbackCompleted = "completed" // outcome reported
)

// Callback is a call of the automation action and the outcome that the
// CRM gets. It is never deleted, since a repeated call must get the
// same answer. Its request is deleted once the outcome is reported.
type Callback struct {
	TenantID    string `gorm:"primaryKey"`
	CallbackID  string `gorm:"primaryKey"`
	MessageID   string // set before the message exists, as the CRM gets it at once
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

// Accept stores a call once, with its job, and returns the stored
// call.
func (s Callbacks) Accept(ctx context.Context, c Callback) (out Callback, created bool, err error) {
	c.State = CallbackAccepted
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		r := tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&c)
		if r.Error != nil {
			return r.Error
		}
		if created = r.RowsAffected == 1; created {
			out = c
			return tx.db.Enqueue(ctx, queue.ProcessCallback{TenantID: c.TenantID, CallbackID: c.CallbackID})
		}
		out, err = tx.Callbacks.Get(ctx, c.TenantID, c.CallbackID)
		return err
	})
	return out, created, err
}

// Get returns a stored call, or ErrNotFound.
func (s Callbacks) Get(ctx context.Context, tenantID, callbackID string) (Callback, error) {
	var c Callback
	return c, database.Translate(s.l.q(ctx).Take(&c, "tenant_id = ? AND callback_id = ?", tenantID, callbackID).Error)
}

// Update changes the columns of a call that is in one of the from
// states. It returns ErrLost when the call is in another state.
func (s Callbacks) Update(ctx context.Context, tenantID, callbackID string, from []string, set map[string]any) error {
	return database.LostIfUnchanged(s.l.q(ctx).Model(&Callback{}).Where("tenant_id = ? AND callback_id = ? AND state IN ?", tenantID, callbackID, from).Updates(set))
}

// EnqueueStalledAllTenants enqueues the jobs of up to n calls again
// that are not completed and unchanged since before a time, the oldest
// first, and returns how many. It excludes calls whose text is still
// open, and those whose text is uncertain but was settled after
// uncertainBefore.
func (s Callbacks) EnqueueStalledAllTenants(ctx context.Context, before, uncertainBefore time.Time, n int) (int, error) {
	var stalled []Callback
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		if err := tx.query(ctx, "stalled_callbacks", map[string]any{"before": before.UTC(), "unknown": uncertainBefore.UTC(), "n": n},
			&stalled); err != nil || len(stalled) == 0 {
			return err
		}
		ids, jobs := make([]string, len(stalled)), make([]river.JobArgs, len(stalled))
		for i, c := range stalled {
			ids[i] = c.MessageID
			if jobs[i] = (queue.CompleteCallback{TenantID: c.TenantID, CallbackID: c.CallbackID}); c.State == CallbackAccepted {
				jobs[i] = queue.ProcessCallback{TenantID: c.TenantID, CallbackID: c.CallbackID}
			}
		}
		// They become the newest, so that a CRM that does not respond
		// can't keep other calls out of the next n.
		if err := tx.q(ctx).Model(&Callback{}).Where("state <> 'completed' AND message_id IN ?", ids).
			UpdateColumn("updated_at", tx.db.Now()).Error; err != nil {
			return err
		}
		return tx.db.Enqueue(ctx, jobs...)
	})
	return len(stalled), err
}
