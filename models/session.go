package models

import (
	"context"
	"encoding/json"
	"time"

	"dialpad-texting/models/database"

	"gorm.io/gorm/clause"
)

// Kinds of session.
const (
	SessionPopup  = "popup"  // bearer of a popup, bound to its ctx
	SessionPage   = "page"   // bearer of the app page or the outbox
	SessionCookie = "cookie" // opens GET of a page, never an API call
)

// Session is what a launch opened: a random 256-bit token at the page's side, its hash at ours.
type Session struct {
	TokenHash string `gorm:"primaryKey"`
	Kind      string
	TenantID  string
	UserID    string
	Email     string
	Name      string
	Role      string
	TimeZone  string
	Locale    string
	Origin    string          // the CRM's origin that frames the page
	Ctx       json.RawMessage `gorm:"serializer:json"` // the launch's ctx, nil for pages
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time // at most, whatever happens
}

// NewSession stores a session and returns its token.
func (s Sessions) Create(ctx context.Context, v Session) (token string, err error) {
	token = NewSecret()
	v.TokenHash, v.CreatedAt, v.SeenAt, v.Email = Hash(token), s.s.db.Now(), s.s.db.Now(), FoldEmail(v.Email)
	return token, s.s.q(ctx).Create(&v).Error
}

// SessionByTokenAllTenants finds the live session of a token: not idle for longer than idle, not past its end. The
// token alone names its tenant.
func (s Sessions) ByTokenAllTenants(ctx context.Context, token string, idle time.Duration, kinds ...string) (Session, error) {
	var v Session
	now := s.s.db.Now()
	err := database.Translate(s.s.q(ctx).Take(&v, "token_hash = ? AND kind IN ? AND expires_at > ? AND seen_at > ?",
		Hash(token), kinds, now, now.Add(-idle)).Error)
	if err == nil && now.Sub(v.SeenAt) > idle/30 { // one write now and then, not one a request
		err = s.s.q(ctx).Model(&Session{}).Where("token_hash = ?", v.TokenHash).UpdateColumn("seen_at", now).Error
	}
	return v, err
}

// IdleSessionByTokenAllTenants finds the session of a token that may have been idle for too long, and does not wake it.
func (s Sessions) IdleByTokenAllTenants(ctx context.Context, token string, kinds ...string) (Session, error) {
	var v Session
	return v, database.Translate(s.s.q(ctx).Take(&v, "token_hash = ? AND kind IN ? AND expires_at > ?", Hash(token), kinds, s.s.db.Now()).Error)
}

// EndSessions ends all sessions of a user.
func (s Sessions) End(ctx context.Context, tenantID, userID string) error {
	return s.s.q(ctx).Where("tenant_id = ? AND user_id = ?", tenantID, userID).Delete(&Session{}).Error
}

// UsedToken is a launch token's jti, remembered until the token would have expired.
type UsedToken struct {
	TenantID  string `gorm:"primaryKey"`
	JTI       string `gorm:"primaryKey;column:jti"`
	ExpiresAt time.Time
}

// UseToken takes a jti once; a second time gives ErrConflict.
func (s Sessions) UseToken(ctx context.Context, tenantID, jti string, expires time.Time) error {
	r := s.s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).
		Create(&UsedToken{TenantID: tenantID, JTI: jti, ExpiresAt: expires.UTC()})
	if r.Error == nil && r.RowsAffected == 0 {
		return database.ErrConflict
	}
	return r.Error
}
