package ledger

import (
	"context"
	"time"
)

// Attempt is a request to Dialpad after which the message was queued
// again. The last attempt of a message is in the message itself.
type Attempt struct {
	MessageID  string `gorm:"primaryKey"`
	TenantID   string
	Attempt    int `gorm:"primaryKey"`
	ClaimedAt  *time.Time
	AnsweredAt *time.Time
	Outcome    string
	ErrorCode  string
	ErrorText  string
}

// TableName implements gorm's Tabler.
func (Attempt) TableName() string { return "attempts" }

// Attempts returns the earlier attempts of a message, oldest first.
func (s Messages) Attempts(ctx context.Context, tenantID, messageID string) ([]Attempt, error) {
	var out []Attempt
	return out, s.l.q(ctx).Where("tenant_id = ? AND message_id = ?", tenantID, messageID).Order("attempt").Find(&out).Error
}
