package models

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// HourlyText is how many texts of a class a person asked for in one hour.
type HourlyText struct {
	TenantID string    `gorm:"primaryKey"`
	UserID   string    `gorm:"primaryKey"`
	Class    int       `gorm:"primaryKey"` // of the ledger
	Hour     time.Time `gorm:"primaryKey"` // its beginning
	N        int
}

// Take counts one more text in this hour, or returns false when there are
// limit already, and after how long the next hour begins. All processes
// share the count. Call it in the transaction that stores the text.
func (s HourlyTexts) Take(ctx context.Context, tenantID, userID string, class, limit int) (taken bool, next time.Duration, err error) {
	now := s.s.db.Now().UTC()
	hour := now.Truncate(time.Hour)
	n := clause.Column{Table: "hourly_texts", Name: "n"}
	r := s.s.q(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "user_id"}, {Name: "class"}, {Name: "hour"}},
		DoUpdates: clause.Assignments(map[string]any{"n": gorm.Expr("hourly_texts.n + 1")}),
		Where:     clause.Where{Exprs: []clause.Expression{clause.Lt{Column: n, Value: limit}}},
	}).Create(&HourlyText{TenantID: tenantID, UserID: userID, Class: class, Hour: hour, N: 1})
	return r.RowsAffected > 0, hour.Add(time.Hour).Sub(now), database.Translate(r.Error)
}
