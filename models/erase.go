package models

import (
	"context"

	"gorm.io/gorm"
)

// EraseNumber removes a person's number, name and texts everywhere; opt-outs survive by their key alone.
func (s *Store) EraseNumber(ctx context.Context, tenantID, number string) error {
	key, err := s.NumberKey(ctx, tenantID, number)
	if err != nil {
		return err
	}
	return s.Tx(ctx, func(tx *Store) error { return tx.erase(ctx, tenantID, number, "to_key = ?", key) })
}

// EraseContact removes what is known of a CRM contact.
func (s *Store) EraseContact(ctx context.Context, tenantID, contactID string) error {
	return s.Tx(ctx, func(tx *Store) error {
		var numbers []string
		if err := tx.q(ctx).Model(&Message{}).Distinct("to_number").Where("tenant_id = ? AND contact_id = ?", tenantID, contactID).
			Pluck("to_number", &numbers).Error; err != nil {
			return err
		}
		for _, n := range numbers {
			if err := tx.EraseNumber(ctx, tenantID, n); err != nil {
				return err
			}
		}
		return tx.erase(ctx, tenantID, "", "contact_id = ?", contactID)
	})
}

func (s *Store) erase(ctx context.Context, tenantID, number, where string, arg any) error {
	// What has not gone out yet never will; then nothing of the person is left in any row.
	q := func() *gorm.DB { return s.q(ctx).Model(&Message{}).Where("tenant_id = ?", tenantID).Where(where, arg) }
	if err := q().Where("state IN ?", []string{Queued, Waiting, Held}).Updates(map[string]any{
		"state": Cancelled, "error_text": "This person's data was erased", "settled_at": s.Now()}).Error; err != nil {
		return err
	}
	// The number stays unique in its batch by the row's own id.
	if err := q().Updates(map[string]any{"to_number": gorm.Expr("'erased:' || id"), "name": "", "text": "", "untold": false}).Error; err != nil {
		return err
	}
	if number == "" {
		return nil
	}
	if err := s.q(ctx).Model(&Suppression{}).Where("tenant_id = ? AND number = ?", tenantID, number).Update("number", "").Error; err != nil {
		return err
	}
	if err := s.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND to_number = ?", tenantID, number).
		Updates(map[string]any{"to_number": "", "message": ""}).Error; err != nil {
		return err
	}
	return s.q(ctx).Where("tenant_id = ? AND (from_number = ? OR to_number = ?)", tenantID, number, number).Delete(&WebhookEvent{}).Error
}
