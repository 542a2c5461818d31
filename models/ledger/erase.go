package ledger

import (
	"context"
	"slices"
	"strings"

	"github.com/riverqueue/river"
	"gorm.io/gorm"

	"dialpad-texting/models/database"
	"dialpad-texting/models/queue"
)

const (
	erasedText   = "This person's data was erased"
	refusedText  = "Dialpad refused the text"
	erasedPrefix = "erased:" // followed by the row's id, in place of the number
)

// Erased reports whether the person's data was removed from the row.
func (m Message) Erased() bool { return strings.HasPrefix(m.ToNumber, erasedPrefix) }

// NumbersOfContact returns the numbers (E.164) of the messages to a
// CRM contact.
func (l *Ledger) NumbersOfContact(ctx context.Context, tenantID, contactID string) ([]string, error) {
	var numbers []string
	return numbers, l.q(ctx).Model(&Message{}).Distinct("to_number").
		Where("tenant_id = ? AND id IN (?)", tenantID, l.Messages.idsByRecipient(ctx, tenantID, "contact_id = ? AND contact_id <> ''", contactID)).
		Where("to_number LIKE '+%'"). // neither empty nor erased
		Pluck("to_number", &numbers).Error
}

// EraseNumber removes a number in all its forms (E.164), and the names
// and texts of the messages to it, and cancels those not sent yet. keys
// are its keyed hashes. Call it in a transaction.
func (l *Ledger) EraseNumber(ctx context.Context, tenantID string, forms, keys []string) error {
	// In the order in which others lock rows: a round locks events before their
	// messages, and what changes a batch locks it before its messages.
	if err := l.Events.EraseNumber(ctx, tenantID, forms); err != nil {
		return err
	}
	if err := l.eraseBatches(ctx, tenantID, "to_number IN ?", forms); err != nil {
		return err
	}
	return l.erasePeople(ctx, tenantID, "number_key IN ? AND number_key <> ''", keys)
}

// EraseNumber deletes the events that name a number in one of its forms.
func (s Events) EraseNumber(ctx context.Context, tenantID string, forms []string) error {
	for _, table := range []string{"incoming_events", "webhook_events"} {
		err := s.l.q(ctx).Table(table).Where("tenant_id = ? AND (from_number IN ? OR to_number IN ?)", tenantID, forms, forms).Delete(&WebhookEvent{}).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// EraseContact removes the data of the messages to a CRM contact, and
// cancels those not sent yet. Call it in a transaction.
func (l *Ledger) EraseContact(ctx context.Context, tenantID, contactID string) error {
	record := database.JSON([]string{contactID})
	if err := l.eraseBatches(ctx, tenantID, "module = 'contact' AND record_ids = ?", record); err != nil {
		return err
	}
	tests, err := testsLike(ctx, l, tenantID, record)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(tests, maxIDsPerStatement) {
		if err := l.eraseMessages(ctx, tenantID, "batch_id IN ?", chunk); err != nil {
			return err
		}
	}
	return l.erasePeople(ctx, tenantID, "contact_id = ? AND contact_id <> ''", contactID)
}

// testsLike returns the ids of the tests of texts as a contact would get them.
// record is the contact's id as a JSON list.
func testsLike(ctx context.Context, l *Ledger, tenantID, record string) ([]string, error) {
	var ids []string
	return ids, l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND source = ? AND module = 'contact' AND record_ids = ?", tenantID, SourceTest, record).
		Pluck("id", &ids).Error
}

// erasePeople erases the messages to the recipients of a condition, and the
// batches that have no other recipient: somebody wrote those to one person.
func (l *Ledger) erasePeople(ctx context.Context, tenantID, where string, arg any) error {
	alone := l.q(ctx).Model(&Recipient{}).Select("batch_id").Where("tenant_id = ?", tenantID).Where(where, arg)
	if err := l.eraseBatches(ctx, tenantID, "expected = 1 AND id IN (?)", alone); err != nil {
		return err
	}
	return l.eraseMessages(ctx, tenantID, where, arg)
}

// eraseMessages cancels messages not sent yet, then empties the rows.
// where is a condition on recipients.
func (l *Ledger) eraseMessages(ctx context.Context, tenantID, where string, arg any) error {
	messages := func() *gorm.DB {
		return l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN (?)", tenantID, l.Messages.idsByRecipient(ctx, tenantID, where, arg))
	}
	if err := l.cancelErased(ctx, tenantID, messages); err != nil {
		return err
	}
	if err := l.eraseRelated(ctx, tenantID, messages); err != nil {
		return err
	}
	if err := messages().Updates(map[string]any{"to_number": gorm.Expr("? || id", erasedPrefix), "to_key": "", "name": "", "search_name": "", "deal": "",
		"text": "", "timeline_pending": false}).Error; err != nil {
		return err
	}
	return l.q(ctx).Model(&Recipient{}).Where("tenant_id = ?", tenantID).Where(where, arg).
		Updates(map[string]any{"number_key": "", "holds_number": false}).Error
}

// cancelErased cancels those of the messages that were not sent yet.
func (l *Ledger) cancelErased(ctx context.Context, tenantID string, messages func() *gorm.DB) error {
	unsent := []string{Queued, Waiting, Held}
	var callbacks []string
	if err := messages().Where("state IN ? AND callback_id <> ''", unsent).Pluck("callback_id", &callbacks).Error; err != nil {
		return err
	}
	if _, err := l.Messages.transition(ctx, map[string]any{"state": Cancelled, "error_code": "erased", "error_text": erasedText, "settled_at": l.db.Now()},
		"tenant_id = ? AND id IN (?) AND state IN ?", tenantID, messages().Select("id"), unsent); err != nil {
		return err
	}
	jobs := make([]river.JobArgs, len(callbacks))
	for i, id := range callbacks {
		jobs[i] = queue.CompleteCallback{TenantID: tenantID, CallbackID: id}
	}
	return l.db.Enqueue(ctx, jobs...)
}

// eraseRelated removes personal data outside the erased columns: error
// texts that name a person or number, attempts, and automation
// requests.
func (l *Ledger) eraseRelated(ctx context.Context, tenantID string, messages func() *gorm.DB) error {
	for code, text := range map[string]string{"duplicate": "Same number as another recipient", "dialpad_refused": refusedText} {
		if err := messages().Where("error_code = ?", code).Update("error_text", text).Error; err != nil {
			return err
		}
	}
	if err := l.q(ctx).Model(&Attempt{}).Where("tenant_id = ? AND message_id IN (?)", tenantID, messages().Select("id")).
		Update("error_text", "").Error; err != nil {
		return err
	}
	callbacks := func() *gorm.DB {
		return l.q(ctx).Model(&Callback{}).Where("tenant_id = ? AND message_id IN (?)", tenantID, messages().Select("id"))
	}
	if err := callbacks().Where("error_code = 'dialpad_refused'").UpdateColumn("error_text", refusedText).Error; err != nil {
		return err
	}
	return callbacks().Where("state <> ?", CallbackAccepted).UpdateColumn("request", nil).Error
}

// eraseBatches empties the batches to one person that match a condition,
// and cancels those that are not sending or ended.
func (l *Ledger) eraseBatches(ctx context.Context, tenantID, where string, arg any) error {
	batches := func() *gorm.DB {
		return l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND source <> ?", tenantID, SourceAutomation).Where(where, arg)
	}
	if err := batches().Where("state IN ?", []string{BatchScheduled, BatchPreparing, BatchPaused, BatchHeld}).Updates(map[string]any{
		"state": BatchCancelled, "held_code": "", "held_reason": erasedText, "finished_at": l.db.Now()}).Error; err != nil {
		return err
	}
	return batches().Updates(map[string]any{"to_number": "", "message": "", "search_text": "", "version": gorm.Expr("version + 1")}).Error
}
