package models

import (
	"context"

	"dialpad-texting/internal/phone"
)

// EraseNumber removes a person's number (E.164), name and texts from all
// rows. An opt-out keeps only the keyed hash of the number.
func (s *Store) EraseNumber(ctx context.Context, tenantID, number string) error {
	return s.Tx(ctx, func(tx *Store) error { return tx.eraseNumber(ctx, tenantID, number) })
}

// EraseContact removes a CRM contact's data, and that of each number at
// which the contact was texted.
func (s *Store) EraseContact(ctx context.Context, tenantID, contactID string) error {
	return s.Tx(ctx, func(tx *Store) error {
		numbers, err := tx.NumbersOfContact(ctx, tenantID, contactID)
		if err != nil {
			return err
		}
		for _, n := range numbers {
			if err := tx.eraseNumber(ctx, tenantID, n); err != nil {
				return err
			}
		}
		if err := tx.Drafts.eraseContact(ctx, tenantID, contactID); err != nil {
			return err
		}
		if err := tx.Replies.erase(ctx, tenantID, "contact_id = ?", contactID); err != nil {
			return err
		}
		return tx.Ledger.EraseContact(ctx, tenantID, contactID)
	})
}

func (s *Store) eraseNumber(ctx context.Context, tenantID, number string) error {
	keys, err := s.Tenants.NumberKeys(ctx, tenantID, number)
	if err != nil {
		return err
	}
	if err := s.Ledger.EraseNumber(ctx, tenantID, phone.Forms(number), keys); err != nil {
		return err
	}
	if err := s.Drafts.eraseNumber(ctx, tenantID, keys); err != nil {
		return err
	}
	if err := s.Replies.erase(ctx, tenantID, "number_key IN ?", keys); err != nil {
		return err
	}
	return s.Suppressions.erase(ctx, tenantID, keys)
}

// erase removes the number and what was written of it. Opt-outs and
// reviews stay in force by the key.
func (s Suppressions) erase(ctx context.Context, tenantID string, keys []string) error {
	for _, table := range []struct {
		model any
		set   map[string]any
	}{
		{&Suppression{}, map[string]any{"number": "", "reason": ""}},
		{&Consent{}, map[string]any{"note": ""}},
		{&OptOutReview{}, map[string]any{"number": "", "text": ""}},
	} {
		if err := s.s.q(ctx).Model(table.model).Where("tenant_id = ? AND number_key IN ?", tenantID, keys).Updates(table.set).Error; err != nil {
			return err
		}
	}
	return nil
}
