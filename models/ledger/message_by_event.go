package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"

	"dialpad-texting/internal/phone"
	"dialpad-texting/models/database"
)

// ByDialpadID returns the message with a Dialpad id, or ErrNotFound.
func (s Messages) ByDialpadID(ctx context.Context, tenantID, dialpadID string) (Message, error) {
	var m Message
	// <> '' makes the partial index usable, and excludes an empty id.
	return m, database.Translate(s.l.q(ctx).Order("id").Take(&m, "tenant_id = ? AND dialpad_id = ? AND dialpad_id <> ''", tenantID, dialpadID).Error)
}

// PairInFlight reports whether a message between two numbers, in any of
// their forms, is sending: the response may contain the id of an event
// that matches no message yet.
func (s Messages) PairInFlight(ctx context.Context, tenantID, from, to string) (bool, error) {
	var n int64
	err := s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND from_number IN ? AND to_number IN ? AND state = 'sending'",
		tenantID, phone.Forms(from), phone.Forms(to)).Count(&n).Error
	return n > 0, err
}

// UncertainOfPair returns the uncertain messages between two numbers
// that have no Dialpad id and were claimed after since and not after
// until. It returns two at most, since two are ambiguous already.
func (s Messages) UncertainOfPair(ctx context.Context, tenantID, from, to string, since, until time.Time) ([]Message, error) {
	var out []Message
	return out, s.l.q(ctx).Where("tenant_id = ? AND from_number IN ? AND to_number IN ? AND state = 'uncertain' AND claimed_at > ? AND claimed_at <= ? AND dialpad_id = ''",
		tenantID, phone.Forms(from), phone.Forms(to), since.UTC(), until.UTC()).Order("id").Limit(2).Find(&out).Error
}

// EventEffect is what an event changes in a message. Empty DialpadID
// and MatchedBy keep the stored values.
type EventEffect struct {
	State, DialpadID, Code, Text, MatchedBy string
	From                                    []string // states in which it applies
}

// ApplyEvent changes a message by an event, and does what Settle and
// FollowUp do for the new state. It returns false when the message is
// in none of the effect's From states.
func (s Messages) ApplyEvent(ctx context.Context, tenantID, id string, effect EventEffect) (bool, error) {
	var changed []Transition
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		changed = nil
		set := map[string]any{"state": effect.State, "previous_state": gorm.Expr("state"), "error_code": effect.Code, "error_text": effect.Text, "timeline_pending": true,
			"settled_at": gorm.Expr("coalesce(settled_at, ?)", tx.db.Now()), "sent_at": gorm.Expr("coalesce(sent_at, claimed_at)")}
		if effect.DialpadID != "" {
			set["dialpad_id"] = effect.DialpadID
		}
		if effect.MatchedBy != "" {
			set["matched_by"] = effect.MatchedBy
		}
		r := tx.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id = ? AND state IN ?", tenantID, id, effect.From).Updates(set)
		if r.Error != nil || r.RowsAffected == 0 {
			return r.Error
		}
		m, err := tx.Messages.Get(ctx, tenantID, "", id)
		if err != nil {
			return err
		}
		changed = []Transition{{ID: id, TenantID: tenantID, BatchID: m.BatchID, CallbackID: m.CallbackID, State: m.State,
			UserID: m.UserID, PreviousState: m.PreviousState, SettledAt: m.SettledAt}}
		if err := tx.enqueueCompletions(ctx, changed); err != nil {
			return err
		}
		return tx.Counters.count(ctx, changed)
	})
	if err == nil && len(changed) > 0 {
		err = s.l.FollowUp(ctx, changed)
	}
	return len(changed) > 0, err
}
