package ledger

import (
	"context"

	"gorm.io/gorm"

	"dialpad-texting/internal/text"
)

// BeforeCreate sets what is searched; gorm calls it.
func (b *Batch) BeforeCreate(*gorm.DB) error {
	b.SearchText = text.Fold(b.Message)
	b.SearchNames = searchNames(*b)
	return nil
}

// BeforeCreate sets what is searched; gorm calls it.
func (m *Message) BeforeCreate(*gorm.DB) error {
	m.SearchName = text.Fold(m.Name)
	return nil
}

// searchNames joins by a character that no folded text has.
func searchNames(b Batch) string { return text.Fold(b.UserName) + "\n" + text.Fold(b.WorkflowName) }

// withSearch adds the folded text to a batch's changed columns.
func withSearch(set map[string]any) map[string]any {
	if message, ok := set["message"].(string); ok {
		set["search_text"] = text.Fold(message)
	}
	return set
}

const upgradePage = 500 // rows

// FoldSearch fills in what is searched in a tenant's rows that are older
// than the columns.
func (l *Ledger) FoldSearch(ctx context.Context, tenantID string) error {
	for after := ""; ; {
		var page []Batch
		if err := l.q(ctx).Select("id", "message", "user_name", "workflow_name").Where("tenant_id = ? AND id > ?", tenantID, after).
			Order("id").Limit(upgradePage).Find(&page).Error; err != nil {
			return err
		}
		for _, b := range page {
			after = b.ID
			if err := l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ?", tenantID, b.ID).UpdateColumns(map[string]any{
				"search_text": text.Fold(b.Message), "search_names": searchNames(b)}).Error; err != nil {
				return err
			}
		}
		if len(page) < upgradePage {
			return l.foldNames(ctx, tenantID)
		}
	}
}

func (l *Ledger) foldNames(ctx context.Context, tenantID string) error {
	return l.eachMessage(ctx, "class = ? AND name <> ''", tenantID, ClassOneToOne, func(m Message) error {
		return l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id = ?", tenantID, m.ID).
			UpdateColumn("search_name", text.Fold(m.Name)).Error
	})
}

// RekeyRequests replaces the plain hashes (SHA-256 in hex) of a tenant's requests
// by what keyed returns.
func RekeyRequests(ctx context.Context, l *Ledger, tenantID string, keyed func(hash string) (string, error)) error {
	const sha256Hex = 64
	for {
		var page []Batch
		if err := l.q(ctx).Select("id", "body_hash").Where("tenant_id = ? AND length(body_hash) = ?", tenantID, sha256Hex).
			Limit(upgradePage).Find(&page).Error; err != nil {
			return err
		}
		for _, b := range page {
			hash, err := keyed(b.BodyHash)
			if err != nil {
				return err
			}
			if err := l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ?", tenantID, b.ID).UpdateColumn("body_hash", hash).Error; err != nil {
				return err
			}
		}
		if len(page) < upgradePage {
			return nil
		}
	}
}

// eachMessage calls f with a tenant's messages by a condition.
func (l *Ledger) eachMessage(ctx context.Context, where, tenantID string, arg any, f func(Message) error) error {
	for after := ""; ; {
		var page []Message
		if err := l.q(ctx).Select("id", "batch_id", "name", "to_number", "to_key").Where("tenant_id = ? AND id > ?", tenantID, after).
			Where(where, arg).Order("id").Limit(upgradePage).Find(&page).Error; err != nil {
			return err
		}
		for _, m := range page {
			after = m.ID
			if err := f(m); err != nil {
				return err
			}
		}
		if len(page) < upgradePage {
			return nil
		}
	}
}

// RekeyNumbers gives the messages to numbers that begin with prefix the
// keys that key returns. Where a batch texted two forms of a number,
// the second keeps its old key.
func (l *Ledger) RekeyNumbers(ctx context.Context, tenantID, prefix string, key func(number string) (string, error)) error {
	return l.eachMessage(ctx, "to_number LIKE ?", tenantID, prefix+"%", func(m Message) error {
		now, err := key(m.ToNumber)
		if err != nil || now == m.ToKey || m.ToKey == "" {
			return err
		}
		if err := l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id = ?", tenantID, m.ID).UpdateColumn("to_key", now).Error; err != nil {
			return err
		}
		return l.q(ctx).Exec(`UPDATE recipients SET number_key = ? WHERE tenant_id = ? AND batch_id = ? AND message_id = ?
			AND NOT EXISTS (SELECT 1 FROM recipients o WHERE o.batch_id = recipients.batch_id AND o.number_key = ? AND o.holds_number)`,
			now, tenantID, m.BatchID, m.ID, now).Error
	})
}
