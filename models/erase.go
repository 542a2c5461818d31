package models

import (
	"context"
	"strings"

	"github.com/riverqueue/river"
	"gorm.io/gorm"
)

const (
	wordsErased  = "This person's data was erased"
	erasedNumber = "erased:" // in front of the row's own id, which keeps the number unique in its batch
)

// Erased tells whether the person's data was removed from the row.
func (m Message) Erased() bool { return strings.HasPrefix(m.ToNumber, erasedNumber) }

// EraseNumber removes a person's number, name and texts everywhere; opt-outs survive by their key alone.
func (s *Store) EraseNumber(ctx context.Context, tenantID, number string) error {
	return s.Tx(ctx, func(tx *Store) error { return tx.eraseNumber(ctx, tenantID, number) })
}

// EraseContact removes what is known of a CRM contact, and of the numbers that the contact was texted at.
func (s *Store) EraseContact(ctx context.Context, tenantID, contactID string) error {
	return s.Tx(ctx, func(tx *Store) error {
		var numbers []string
		if err := tx.q(ctx).Model(&Message{}).Distinct("to_number").Where("tenant_id = ? AND id IN (?)", tenantID, tx.of(ctx, tenantID, "contact_id = ?", contactID)).
			Pluck("to_number", &numbers).Error; err != nil {
			return err
		}
		for _, n := range numbers {
			if !strings.HasPrefix(n, "+") {
				continue // none, or erased before
			}
			if err := tx.eraseNumber(ctx, tenantID, n); err != nil {
				return err
			}
		}
		if err := tx.eraseMessages(ctx, tenantID, "contact_id = ?", contactID); err != nil {
			return err
		}
		return tx.eraseBatches(ctx, tenantID, "module = 'contact' AND record_ids = ?", toJSON([]string{contactID}))
	})
}

func (s *Store) eraseNumber(ctx context.Context, tenantID, number string) error {
	key, err := s.NumberKey(ctx, tenantID, number)
	if err != nil {
		return err
	}
	if err := s.eraseMessages(ctx, tenantID, "number_key = ?", key); err != nil {
		return err
	}
	if err := s.eraseBatches(ctx, tenantID, "to_number = ?", number); err != nil {
		return err
	}
	if err := s.q(ctx).Model(&Suppression{}).Where("tenant_id = ? AND number_key = ?", tenantID, key).Update("number", "").Error; err != nil {
		return err
	}
	return s.q(ctx).Where("tenant_id = ? AND (from_number = ? OR to_number = ?)", tenantID, number, number).Delete(&WebhookEvent{}).Error
}

// eraseMessages cancels what has not gone out yet; then nothing of the person is left in any row. The condition is on
// recipients.
func (s *Store) eraseMessages(ctx context.Context, tenantID, where string, arg any) error {
	q := func() *gorm.DB {
		return s.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN (?)", tenantID, s.of(ctx, tenantID, where, arg))
	}
	waiting := []string{Queued, Waiting, Held}
	var callbacks []string
	if err := q().Where("state IN ? AND callback_id <> ''", waiting).Pluck("callback_id", &callbacks).Error; err != nil {
		return err
	}
	if err := q().Where("state IN ?", waiting).Updates(map[string]any{
		"state": Cancelled, "error_code": "erased", "error_text": wordsErased, "settled_at": s.Now()}).Error; err != nil {
		return err
	}
	jobs := make([]river.JobArgs, len(callbacks))
	for i, id := range callbacks {
		jobs[i] = CompleteCallback{TenantID: tenantID, CallbackID: id}
	}
	if err := s.Enqueue(ctx, jobs...); err != nil {
		return err
	}
	if err := s.eraseTraces(ctx, tenantID, q); err != nil {
		return err
	}
	if err := q().Updates(map[string]any{"to_number": gorm.Expr("? || id", erasedNumber), "to_key": "", "name": "", "deal": "", "text": "", "untold": false}).Error; err != nil {
		return err
	}
	return s.q(ctx).Model(&Recipient{}).Where("tenant_id = ?", tenantID).Where(where, arg).
		Updates(map[string]any{"number_key": "", "holds_number": false}).Error
}

// eraseTraces removes what stands beside messages: whose twin somebody is, Dialpad's own words, which may name a number,
// and what an automation asked for.
func (s *Store) eraseTraces(ctx context.Context, tenantID string, messages func() *gorm.DB) error {
	for code, words := range map[string]string{"duplicate": "Same number as another recipient", "dialpad_refused": "Dialpad refused the text"} {
		if err := messages().Where("error_code = ?", code).Update("error_text", words).Error; err != nil {
			return err
		}
	}
	if err := s.q(ctx).Model(&AttemptRow{}).Where("tenant_id = ? AND message_id IN (?)", tenantID, messages().Select("id")).
		Update("error_text", "").Error; err != nil {
		return err
	}
	return s.q(ctx).Model(&Callback{}).Where("tenant_id = ? AND state <> ? AND message_id IN (?)", tenantID, CallbackAccepted, messages().Select("id")).
		UpdateColumn("request", nil).Error
}

// eraseBatches empties the one-to-one batches to a person, and ends those that have not begun.
func (s *Store) eraseBatches(ctx context.Context, tenantID, where string, arg any) error {
	q := func() *gorm.DB {
		return s.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND source = ?", tenantID, SourceOne).Where(where, arg)
	}
	if err := q().Where("state IN ?", []string{BatchScheduled, BatchPreparing, BatchPaused, BatchHeld}).Updates(map[string]any{
		"state": BatchCancelled, "held_code": "", "held_reason": wordsErased, "finished_at": s.Now()}).Error; err != nil {
		return err
	}
	return q().Updates(map[string]any{"to_number": "", "message": "", "version": gorm.Expr("version + 1")}).Error
}
