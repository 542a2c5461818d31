package models

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Kinds of session.
const (
	SessionPopup  = "popup"  // bearer token of a popup, for its ctx
	SessionPage   = "page"   // bearer token of the app page or the outbox
	SessionCookie = "cookie" // for the GET of a page, never for the API
)

// Session is a session that a launch from the CRM opened. Its token has
// 256 random bits and is stored as a hash.
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
	Origin    string          // of the CRM page that frames ours
	Ctx       json.RawMessage `gorm:"serializer:json"` // the launch's ctx, nil for pages
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time // whatever SeenAt is
}

// Create stores a session and returns its token.
func (s Sessions) Create(ctx context.Context, v Session) (token string, err error) {
	token = NewSecret()
	v.TokenHash, v.CreatedAt, v.SeenAt, v.Email = Hash(token), s.s.db.Now(), s.s.db.Now(), FoldEmail(v.Email)
	return token, s.s.q(ctx).Create(&v).Error
}

// Reopen stores a session whose token the caller made, or takes up the
// one that this token has: it is seen now, and has the values of v.
func (s Sessions) Reopen(ctx context.Context, token string, v Session) error {
	v.TokenHash, v.CreatedAt, v.SeenAt, v.Email = Hash(token), s.s.db.Now(), s.s.db.Now(), FoldEmail(v.Email)
	return s.s.q(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "token_hash"}},
		DoUpdates: clause.AssignmentColumns([]string{"email", "name", "role", "seen_at", "expires_at"})}).Create(&v).Error
}

// ByTokenAllTenants returns the session of a token, if it has not expired
// and was seen within idle, or ErrNotFound. It marks the session seen.
func (s Sessions) ByTokenAllTenants(ctx context.Context, token string, idle time.Duration, kinds ...string) (Session, error) {
	var v Session
	now := s.s.db.Now()
	err := database.Translate(s.s.q(ctx).Take(&v, "token_hash = ? AND kind IN ? AND expires_at > ? AND seen_at > ?",
		Hash(token), kinds, now, now.Add(-idle)).Error)
	if err == nil && now.Sub(v.SeenAt) > idle/30 { // not one write per request
		err = s.s.q(ctx).Model(&Session{}).Where("token_hash = ?", v.TokenHash).UpdateColumn("seen_at", now).Error
	}
	return v, err
}

// IdleByTokenAllTenants returns the session of a token, however long it
// was idle, or ErrNotFound. It does not mark it seen.
func (s Sessions) IdleByTokenAllTenants(ctx context.Context, token string, kinds ...string) (Session, error) {
	var v Session
	return v, database.Translate(s.s.q(ctx).Take(&v, "token_hash = ? AND kind IN ? AND expires_at > ?", Hash(token), kinds, s.s.db.Now()).Error)
}

// End deletes all sessions of a user.
func (s Sessions) End(ctx context.Context, tenantID, userID string) error {
	return s.s.q(ctx).Where("tenant_id = ? AND user_id = ?", tenantID, userID).Delete(&Session{}).Error
}

// eraseNumber ends the popups that were opened for a number, however it was
// written there. forms are E.164.
func (s Sessions) eraseNumber(ctx context.Context, tenantID string, forms []string) error {
	return s.endWhere(ctx, tenantID, func(t launchTarget) bool { return t.names(forms) })
}

// eraseContact ends the popups that were opened for one CRM contact.
func (s Sessions) eraseContact(ctx context.Context, tenantID, contactID string) error {
	return s.endWhere(ctx, tenantID, func(t launchTarget) bool {
		return t.Module == "contact" && len(t.RecordIDs) == 1 && t.RecordIDs[0] == contactID
	})
}

// launchTarget is what a session's Ctx says about a person.
type launchTarget struct {
	Module    string   `json:"module"`
	RecordIDs []string `json:"record_ids"`
	ToNumber  string   `json:"to_number"`
}

// minNational is how many digits a number has at least without its country.
const minNational = 6

// names reports whether the number that was clicked may be one of these (E.164).
// A popup that is ended in error opens again.
func (t launchTarget) names(forms []string) bool {
	clicked := digitsOf(t.ToNumber)
	national := strings.TrimLeft(clicked, "0")
	return slices.ContainsFunc(forms, func(form string) bool {
		digits := strings.TrimPrefix(form, "+")
		return strings.Contains(clicked, digits) || len(national) >= minNational && strings.HasSuffix(digits, national)
	})
}

// endWhere deletes a tenant's popup sessions by what they were opened for.
func (s Sessions) endWhere(ctx context.Context, tenantID string, matches func(launchTarget) bool) error {
	var open []Session
	if err := s.s.q(ctx).Select("token_hash", "ctx").Where("tenant_id = ? AND ctx IS NOT NULL", tenantID).Find(&open).Error; err != nil {
		return err
	}
	var ended []string
	for _, v := range open {
		var t launchTarget
		if json.Unmarshal(v.Ctx, &t) == nil && matches(t) {
			ended = append(ended, v.TokenHash)
		}
	}
	for chunk := range slices.Chunk(ended, 500) {
		if err := s.s.q(ctx).Where("tenant_id = ? AND token_hash IN ?", tenantID, chunk).Delete(&Session{}).Error; err != nil {
			return err
		}
	}
	return nil
}

// EndAll deletes all sessions of a tenant but those whose token hashes
// are in except.
func (s Sessions) EndAll(ctx context.Context, tenantID string, except ...string) error {
	q := s.s.q(ctx).Where("tenant_id = ?", tenantID)
	if len(except) > 0 { // NOT IN () would match nothing
		q = q.Where("token_hash NOT IN ?", except)
	}
	return q.Delete(&Session{}).Error
}

// Count returns how many sessions of a tenant are stored.
func (s Sessions) Count(ctx context.Context, tenantID string) (n int64, err error) {
	return n, s.s.q(ctx).Model(&Session{}).Where("tenant_id = ?", tenantID).Count(&n).Error
}

// UsedToken is the jti of a launch token that was used, kept until the
// token expires.
type UsedToken struct {
	TenantID  string `gorm:"primaryKey"`
	JTI       string `gorm:"primaryKey;column:jti"`
	ExpiresAt time.Time
}

// UseToken marks a jti used, and returns ErrConflict when it already is.
func (s Sessions) UseToken(ctx context.Context, tenantID, jti string, expires time.Time) error {
	r := s.s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).
		Create(&UsedToken{TenantID: tenantID, JTI: jti, ExpiresAt: expires.UTC()})
	if r.Error == nil && r.RowsAffected == 0 {
		return database.ErrConflict
	}
	return r.Error
}
