package models

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// callAnswerLifetime is how long a repeated call gets the first answer.
const callAnswerLifetime = 24 * time.Hour

// CallAnswer is the first HTTP response to a signed call of the CRM. A
// repeated call gets the same one.
type CallAnswer struct {
	WebhookID string `gorm:"primaryKey"`
	BodyHash  string // keyed once it is stored
	Status    int
	Body      string
	CreatedAt time.Time
}

// AnswerAllTenants returns the answer to a webhook id of the last 24 h,
// or ErrNotFound. The CRM's ids are unique among all tenants.
func (s CRMCalls) AnswerAllTenants(ctx context.Context, webhookID string) (CallAnswer, error) {
	var a CallAnswer
	return a, database.Translate(s.s.q(ctx).Take(&a, "webhook_id = ? AND created_at > ?", webhookID, s.s.db.Now().Add(-callAnswerLifetime)).Error)
}

// SaveAnswer stores the answer to a webhook id and returns the stored
// one: another's, if that was stored first.
func (s CRMCalls) SaveAnswer(ctx context.Context, a CallAnswer) (CallAnswer, error) {
	a.CreatedAt, a.BodyHash = s.s.db.Now(), s.s.vault.HashContent(a.BodyHash)
	// An expired answer is replaced, though no sweep has deleted it yet.
	r := s.s.q(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "webhook_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"body_hash", "status", "body", "created_at"}),
		Where:     clause.Where{Exprs: []clause.Expression{gorm.Expr("call_answers.created_at <= ?", a.CreatedAt.Add(-callAnswerLifetime))}}}).Create(&a)
	if r.Error != nil || r.RowsAffected == 1 {
		return a, r.Error
	}
	return s.AnswerAllTenants(ctx, a.WebhookID)
}

// IsTo reports whether a stored answer is the one to a call whose content has the
// hash. An older program stored the hash itself.
func (s CRMCalls) IsTo(a CallAnswer, contentHash string) bool {
	return a.BodyHash == contentHash || s.s.vault.IsHashOf(a.BodyHash, contentHash)
}

// AdvanceSequence stores a sequence number of a subject (tenant, user or
// number), and reports whether it is higher than the stored one.
func (s CRMCalls) AdvanceSequence(ctx context.Context, tenantID, subject string, seq int64) (bool, error) {
	r := s.s.q(ctx).Table("sequences").Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "subject"}},
		DoUpdates: clause.Assignments(map[string]any{"seq": seq}),
		Where:     clause.Where{Exprs: []clause.Expression{gorm.Expr("sequences.seq < ?", seq)}},
	}).Create(map[string]any{"tenant_id": tenantID, "subject": subject, "seq": seq})
	return r.RowsAffected > 0, r.Error
}
