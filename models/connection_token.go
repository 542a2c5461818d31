package models

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models/database"
)

// Grant is a pair of OAuth tokens from Dialpad.
type Grant struct {
	Access, Refresh string
	ExpiresAt       *time.Time // nil: valid until a 401
}

// OpenGrant opens a connection's tokens.
func (s Connections) OpenGrant(c Connection) (Grant, error) {
	access, err1 := s.s.vault.Open(connectionPlace("access_token", c.TenantID), c.AccessToken)
	refresh, err2 := s.s.vault.Open(connectionPlace("refresh_token", c.TenantID), c.RefreshToken)
	return Grant{Access: access, Refresh: refresh, ExpiresAt: c.TokenExpiresAt}, errors.Join(err1, err2)
}

// OpenPreviousRefresh opens the refresh token before the present one, ""
// once ConfirmToken has deleted it.
func (s Connections) OpenPreviousRefresh(c Connection) (string, error) {
	return s.s.vault.Open(connectionPlace("previous_refresh", c.TenantID), c.PreviousRefresh)
}

// LeaseRefresh leases the refresh of a token version to owner until a
// time, and returns ErrLost when another process holds the lease. It is a
// compare-and-swap, so that no transaction is open during the request to
// Dialpad.
func (s Connections) LeaseRefresh(ctx context.Context, tenantID string, version int64, owner string, until time.Time) error {
	return database.LostIfUnchanged(s.s.q(ctx).Model(&Connection{}).
		Where("tenant_id = ? AND token_version = ? AND state <> ?", tenantID, version, Disconnected).
		Where("refresh_lease_until IS NULL OR refresh_lease_until < ? OR refresh_lease_by = ?", s.s.db.Now(), owner).
		Updates(map[string]any{"refresh_lease_by": owner, "refresh_lease_until": until.UTC()}))
}

// SaveRefreshed stores a refreshed pair before its first use, ends the
// lease, and keeps the old refresh token until ConfirmToken. It works
// without the lease too, since a pair from Dialpad must not be lost, and
// returns ErrLost when a newer pair is stored.
func (s Connections) SaveRefreshed(ctx context.Context, tenantID string, version int64, old string, g Grant) error {
	return database.LostIfUnchanged(s.s.q(ctx).Model(&Connection{}).
		Where("tenant_id = ? AND token_version = ? AND state <> ?", tenantID, version, Disconnected).
		Updates(map[string]any{
			"access_token":     s.s.vault.Seal(connectionPlace("access_token", tenantID), g.Access),
			"refresh_token":    s.s.vault.Seal(connectionPlace("refresh_token", tenantID), g.Refresh),
			"previous_refresh": s.s.vault.Seal(connectionPlace("previous_refresh", tenantID), old),
			"token_expires_at": database.UTC(g.ExpiresAt), "token_issued_at": s.s.db.Now(), "token_version": version + 1,
			"refresh_lease_by": "", "refresh_lease_until": nil, "refresh_failed_at": nil}))
}

// ReleaseRefresh ends the owner's lease without a new pair. failedAt is
// stored for the backoff, nil when the refresh did not fail.
func (s Connections) ReleaseRefresh(ctx context.Context, tenantID, owner string, failedAt *time.Time) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND refresh_lease_by = ?", tenantID, owner).
		Updates(map[string]any{"refresh_lease_by": "", "refresh_lease_until": nil, "refresh_failed_at": database.UTC(failedAt)}).Error
}

// ConfirmToken deletes the previous refresh token, once Dialpad accepted
// the token of this version.
func (s Connections) ConfirmToken(ctx context.Context, tenantID string, version int64) error {
	return s.s.q(ctx).Model(&Connection{}).
		Where("tenant_id = ? AND token_version = ? AND previous_refresh <> ''", tenantID, version).
		Update("previous_refresh", "").Error
}
