package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"

	"dialpad-texting/models/database"
)

// ByDialpadID returns the message that Dialpad knows by an id.
func (s Messages) ByDialpadID(ctx context.Context, tenantID, dialpadID string) (Message, error) {
	var m Message
	// <> '' is for the partial index, and because an empty id names
	// nobody.
	return m, database.Translate(s.l.q(ctx).Order("id").Take(&m, "tenant_id = ? AND dialpad_id = ? AND dialpad_id <> ''", tenantID, dialpadID).Error)
}

// PairInFlight tells whether a text between two numbers is on the wire:
// its answer may bring the id that an event names.
func (s Messages) PairInFlight(ctx context.Context, tenantID, from, to string) (bool, error) {
	var n int64
	err := s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND from_number = ? AND to_number = ? AND state = 'sending'",
		tenantID, from, to).Count(&n).Error
	return n > 0, err
}

// UncertainOfPair returns uncertain messages between two numbers that
// were claimed between two times: two at most, since two are ambiguous
// already.
func (s Messages) UncertainOfPair(ctx context.Context, tenantID, from, to string, since, until time.Time) ([]Message, error) {
	var out []Message
	return out, s.l.q(ctx).Where("tenant_id = ? AND from_number = ? AND to_number = ? AND state = 'uncertain' AND claimed_at > ? AND claimed_at <= ? AND dialpad_id = ''",
		tenantID, from, to, since.UTC(), until.UTC()).Order("id").Limit(2).Find(&out).Error
}

// EventEffect is what an event changes in a message.
type EventEffect struct {
	State, DialpadID, Code, Text, MatchedBy string
	From                                    []string // states that it may change
}

// ApplyEvent moves a message forward by an event, with all that follows.
// It returns false when the message was further already.
func (s Messages) ApplyEvent(ctx context.Context, tenantID, id string, p EventEffect) (bool, error) {
	var moved []Transition
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		set := map[string]any{"state": p.State, "error_code": p.Code, "error_text": p.Text, "timeline_pending": true,
			"settled_at": gorm.Expr("coalesce(settled_at, ?)", tx.db.Now()), "sent_at": gorm.Expr("coalesce(sent_at, claimed_at)")}
		if p.DialpadID != "" {
			set["dialpad_id"] = p.DialpadID
		}
		if p.MatchedBy != "" {
			set["matched_by"] = p.MatchedBy
		}
		r := tx.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id = ? AND state IN ?", tenantID, id, p.From).Updates(set)
		if r.Error != nil || r.RowsAffected == 0 {
			return r.Error
		}
		m, err := tx.Messages.Get(ctx, tenantID, "", id)
		if err != nil {
			return err
		}
		moved = []Transition{{ID: id, TenantID: tenantID, BatchID: m.BatchID, CallbackID: m.CallbackID, State: m.State}}
		return tx.enqueueCompletions(ctx, moved)
	})
	if err == nil && len(moved) > 0 {
		err = s.l.FollowUp(ctx, moved)
	}
	return len(moved) > 0, err
}
