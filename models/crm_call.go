package models

import (
	"context"
	"time"

	"dialpad-texting/models/database"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// CallAnswer is the first answer to a signed call of the CRM, given again when the call is repeated.
type CallAnswer struct {
	WebhookID string `gorm:"primaryKey"`
	BodyHash  string
	Status    int
	Body      string
	CreatedAt time.Time
}

// AnsweredAllTenants returns the answer already given to a webhook id within the last 24 h, or ErrNotFound. The id
// was signed by the CRM, which speaks for all its tenants.
func (s CRMCalls) AnswerAllTenants(ctx context.Context, webhookID string) (CallAnswer, error) {
	var a CallAnswer
	return a, database.Translate(s.s.q(ctx).Take(&a, "webhook_id = ? AND created_at > ?", webhookID, s.s.db.Now().Add(-24*time.Hour)).Error)
}

// SaveAnswer stores the answer to a webhook id; when another process stored one first, that one is returned.
func (s CRMCalls) SaveAnswer(ctx context.Context, a CallAnswer) (CallAnswer, error) {
	a.CreatedAt = s.s.db.Now()
	// One that is older than a day is no answer any more, though nobody has swept it up yet.
	r := s.s.q(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "webhook_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"body_hash", "status", "body", "created_at"}),
		Where:     clause.Where{Exprs: []clause.Expression{gorm.Expr("call_answers.created_at <= ?", a.CreatedAt.Add(-24*time.Hour))}}}).Create(&a)
	if r.Error != nil || r.RowsAffected == 1 {
		return a, r.Error
	}
	return s.AnswerAllTenants(ctx, a.WebhookID)
}

// Advance notes a sequence number for a subject (tenant, user or number) and tells whether it is news: a lower or
// equal one than already applied is not.
func (s CRMCalls) AdvanceSequence(ctx context.Context, tenantID, subject string, seq int64) (bool, error) {
	r := s.s.q(ctx).Table("sequences").Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "subject"}},
		DoUpdates: clause.Assignments(map[string]any{"seq": seq}),
		Where:     clause.Where{Exprs: []clause.Expression{gorm.Expr("sequences.seq < ?", seq)}},
	}).Create(map[string]any{"tenant_id": tenantID, "subject": subject, "seq": seq})
	return r.RowsAffected > 0, r.Error
}
