package ledger

import (
	"context"
	"strings"

	"github.com/riverqueue/river"
	"gorm.io/gorm"

	"dialpad-texting/models/database"
	"dialpad-texting/models/queue"
)

const (
	erasedText   = "This person's data was erased"
	erasedPrefix = "erased:" // before the row's own id, which keeps the number unique in its batch
)

// Erased tells whether the person's data was removed from the row.
func (m Message) Erased() bool { return strings.HasPrefix(m.ToNumber, erasedPrefix) }

// NumbersOfContact returns the numbers (E.164) that a CRM contact was
// texted at.
func (l *Ledger) NumbersOfContact(ctx context.Context, tenantID, contactID string) ([]string, error) {
	var numbers []string
	return numbers, l.q(ctx).Model(&Message{}).Distinct("to_number").
		Where("tenant_id = ? AND id IN (?)", tenantID, l.Messages.idsByRecipient(ctx, tenantID, "contact_id = ?", contactID)).
		Where("to_number LIKE '+%'"). // neither empty nor erased
		Pluck("to_number", &numbers).Error
}

// EraseNumber removes a number (E.164, with its key), and the name and
// texts of whoever was texted at it. Call it in a transaction.
func (l *Ledger) EraseNumber(ctx context.Context, tenantID, number, key string) error {
	if err := l.eraseMessages(ctx, tenantID, "number_key = ?", key); err != nil {
		return err
	}
	if err := l.eraseBatches(ctx, tenantID, "to_number = ?", number); err != nil {
		return err
	}
	return l.q(ctx).Where("tenant_id = ? AND (from_number = ? OR to_number = ?)", tenantID, number, number).Delete(&WebhookEvent{}).Error
}

// EraseContact removes what is known of a CRM contact. Call it in a
// transaction.
func (l *Ledger) EraseContact(ctx context.Context, tenantID, contactID string) error {
	if err := l.eraseMessages(ctx, tenantID, "contact_id = ?", contactID); err != nil {
		return err
	}
	return l.eraseBatches(ctx, tenantID, "module = 'contact' AND record_ids = ?", database.JSON([]string{contactID}))
}

// eraseMessages cancels what has not been sent, then empties the rows.
// where is a condition on recipients.
func (l *Ledger) eraseMessages(ctx context.Context, tenantID, where string, arg any) error {
	q := func() *gorm.DB {
		return l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN (?)", tenantID, l.Messages.idsByRecipient(ctx, tenantID, where, arg))
	}
	if err := l.cancelErased(ctx, tenantID, q); err != nil {
		return err
	}
	if err := l.eraseBesideMessages(ctx, tenantID, q); err != nil {
		return err
	}
	if err := q().Updates(map[string]any{"to_number": gorm.Expr("? || id", erasedPrefix), "to_key": "", "name": "", "deal": "",
		"text": "", "timeline_pending": false}).Error; err != nil {
		return err
	}
	return l.q(ctx).Model(&Recipient{}).Where("tenant_id = ?", tenantID).Where(where, arg).
		Updates(map[string]any{"number_key": "", "holds_number": false}).Error
}

func (l *Ledger) cancelErased(ctx context.Context, tenantID string, messages func() *gorm.DB) error {
	unsent := []string{Queued, Waiting, Held}
	var callbacks []string
	if err := messages().Where("state IN ? AND callback_id <> ''", unsent).Pluck("callback_id", &callbacks).Error; err != nil {
		return err
	}
	if err := messages().Where("state IN ?", unsent).Updates(map[string]any{
		"state": Cancelled, "error_code": "erased", "error_text": erasedText, "settled_at": l.db.Now()}).Error; err != nil {
		return err
	}
	jobs := make([]river.JobArgs, len(callbacks))
	for i, id := range callbacks {
		jobs[i] = queue.CompleteCallback{TenantID: tenantID, CallbackID: id}
	}
	return l.db.Enqueue(ctx, jobs...)
}

// eraseBesideMessages removes what names the person beside the messages:
// whose duplicate somebody is, Dialpad's own words, and an automation's
// request.
func (l *Ledger) eraseBesideMessages(ctx context.Context, tenantID string, messages func() *gorm.DB) error {
	for code, text := range map[string]string{"duplicate": "Same number as another recipient", "dialpad_refused": "Dialpad refused the text"} {
		if err := messages().Where("error_code = ?", code).Update("error_text", text).Error; err != nil {
			return err
		}
	}
	if err := l.q(ctx).Model(&Attempt{}).Where("tenant_id = ? AND message_id IN (?)", tenantID, messages().Select("id")).
		Update("error_text", "").Error; err != nil {
		return err
	}
	return l.q(ctx).Model(&Callback{}).Where("tenant_id = ? AND state <> ? AND message_id IN (?)", tenantID, CallbackAccepted, messages().Select("id")).
		UpdateColumn("request", nil).Error
}

// eraseBatches empties the one-to-one batches to a person, and cancels
// those that have not begun.
func (l *Ledger) eraseBatches(ctx context.Context, tenantID, where string, arg any) error {
	q := func() *gorm.DB {
		return l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND source = ?", tenantID, SourceOne).Where(where, arg)
	}
	if err := q().Where("state IN ?", []string{BatchScheduled, BatchPreparing, BatchPaused, BatchHeld}).Updates(map[string]any{
		"state": BatchCancelled, "held_code": "", "held_reason": erasedText, "finished_at": l.db.Now()}).Error; err != nil {
		return err
	}
	return q().Updates(map[string]any{"to_number": "", "message": "", "version": gorm.Expr("version + 1")}).Error
}
