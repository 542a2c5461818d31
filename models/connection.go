package models

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models/database"
	"dialpad-texting/models/queue"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Connection states: connected → broken → disconnected, and connected again.
const (
	Connected    = "connected"
	Broken       = "broken"
	Disconnected = "disconnected"
)

// Connection is a tenant's Dialpad grant. A Dialpad company belongs to one tenant: the database refuses a second.
type Connection struct {
	TenantID string `gorm:"primaryKey"`
	State    string
	Reason   string // why it is broken, as a sentence for the admin
	Ready    bool   // directory and subscriptions are in place

	CompanyID       string
	CompanyName     string
	DialpadUserID   string // the Dialpad admin whose grant this is
	ConnectedBy     string // that admin's e-mail
	ConnectedByUser string // CRM user id

	AccessToken       Sealed
	RefreshToken      Sealed
	PreviousRefresh   Sealed // kept until the new pair has worked
	TokenExpiresAt    *time.Time
	TokenIssuedAt     *time.Time // with TokenExpiresAt, how long tokens live here
	TokenVersion      int64
	RefreshLeaseBy    string
	RefreshLeaseUntil *time.Time
	RefreshFailedAt   *time.Time

	HookPath           Sealed // the unguessable part of our webhook's address
	HookPathHash       string
	HookSecret         Sealed
	PreviousHookHash   string // the address before a reconnect, good until the new one is subscribed
	PreviousSecret     Sealed
	WebhookID          string
	SMSSubscription    string `gorm:"column:sms_subscription"`
	ChangeSubscription string
	SubscriptionsNote  string // which of them Dialpad refused, in its words
	SubscriptionsAt    *time.Time

	DirectoryAt      *time.Time
	DirectoryBegunAt *time.Time // a directory that is being read, and how far it came
	DirectoryCursor  string
	OptOutsAt        *time.Time
	LastEventAt      *time.Time
	LastCheckedAt    *time.Time
	ConnectedAt      time.Time
	DisconnectedAt   *time.Time
	UpdatedAt        time.Time
}

// Usable tells whether texts may go through it.
func (c Connection) Usable() bool { return c.State == Connected && c.Ready }

// Finish is the job that makes this grant usable.
func (c Connection) Finish() queue.FinishConnect {
	return queue.FinishConnect{TenantID: c.TenantID, ConnectedAt: c.ConnectedAt.UnixMilli()}
}

func place(column, tenantID string) string { return "connections." + column + "." + tenantID }

// Connection returns the tenant's connection, or ErrNotFound when there never was one.
func (s Connections) Get(ctx context.Context, tenantID string) (Connection, error) {
	var c Connection
	return c, database.Translate(s.s.q(ctx).Take(&c, "tenant_id = ?", tenantID).Error)
}

// ConnectionByHookAllTenants finds whose webhook address this is; the path is the only thing known then. By the address
// before a reconnect it comes with the secret of that address.
func (s Connections) ByHookAllTenants(ctx context.Context, path string) (Connection, error) {
	var c Connection
	// <> '' is said so that the partial index serves whatever the path is.
	err := database.Translate(s.s.q(ctx).Take(&c, "hook_path_hash = ? AND hook_path_hash <> '' AND state <> ?", Hash(path), Disconnected).Error)
	if !errors.Is(err, database.ErrNotFound) {
		return c, err
	}
	err = database.Translate(s.s.q(ctx).Take(&c, "previous_hook_hash = ? AND previous_hook_hash <> '' AND state <> ?", Hash(path), Disconnected).Error)
	c.HookSecret = c.PreviousSecret
	return c, err
}

// ConnectionOfCompanyAllTenants finds the live connection of a Dialpad company, whosever it is.
func (s Connections) ByCompanyAllTenants(ctx context.Context, companyID string) (Connection, error) {
	var c Connection
	return c, database.Translate(s.s.q(ctx).Take(&c, "company_id = ? AND state <> ?", companyID, Disconnected).Error)
}

// AllConnections returns the live connections of all tenants, in pages by tenant id.
func (s Connections) ListAllTenants(ctx context.Context, after string, limit int) ([]Connection, error) {
	var out []Connection
	return out, s.s.q(ctx).Where("tenant_id > ? AND state <> ?", after, Disconnected).
		Order("tenant_id").Limit(limit).Find(&out).Error
}

// Grant is a token pair as Dialpad gave it.
type Grant struct {
	Access, Refresh string
	ExpiresAt       *time.Time // nil: static until a 401
}

// NewConnection is what is known when a grant is accepted.
type NewConnection struct {
	TenantID, CompanyID, CompanyName, DialpadUserID, ConnectedBy, ConnectedByUser string
	Grant                                                                         Grant
}

// Connect stores a grant as the tenant's connection, not ready yet. ErrConflict: the company belongs to another tenant.
// Of the same company again, events that come to the address before are still taken until SaveSubscriptions.
func (s Connections) Save(ctx context.Context, n NewConnection) (c Connection, err error) {
	err = s.s.Tx(ctx, func(tx *Store) error {
		old, err := tx.Connections.Get(ctx, n.TenantID)
		if err != nil && !errors.Is(err, database.ErrNotFound) {
			return err
		}
		c = tx.Connections.build(n)
		c.keepHook(old)
		return database.Translate(tx.q(ctx).Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "tenant_id"}}, UpdateAll: true}).Create(&c).Error)
	})
	return c, err
}

// keepHook keeps the address that Dialpad knows until it knows the new one.
func (c *Connection) keepHook(old Connection) {
	switch {
	case old.CompanyID != c.CompanyID || old.State == Disconnected:
	case old.SubscriptionsAt != nil:
		c.PreviousHookHash, c.PreviousSecret = old.HookPathHash, old.HookSecret
	default:
		c.PreviousHookHash, c.PreviousSecret = old.PreviousHookHash, old.PreviousSecret
	}
}

func (s Connections) build(n NewConnection) Connection {
	path, now := NewSecret(), s.s.db.Now()
	return Connection{TenantID: n.TenantID, State: Connected, CompanyID: n.CompanyID, CompanyName: n.CompanyName,
		DialpadUserID: n.DialpadUserID, ConnectedBy: n.ConnectedBy, ConnectedByUser: n.ConnectedByUser,
		AccessToken:  s.s.vault.Seal(place("access_token", n.TenantID), n.Grant.Access),
		RefreshToken: s.s.vault.Seal(place("refresh_token", n.TenantID), n.Grant.Refresh),
		HookPath:     s.s.vault.Seal(place("hook_path", n.TenantID), path), HookPathHash: Hash(path),
		HookSecret:     s.s.vault.Seal(place("hook_secret", n.TenantID), NewSecret()),
		TokenExpiresAt: database.UTC(n.Grant.ExpiresAt), TokenIssuedAt: &now, TokenVersion: now.UnixNano(), ConnectedAt: now}
}

// OpenGrant opens a connection's tokens.
func (s Connections) OpenGrant(c Connection) (Grant, error) {
	access, err1 := s.s.vault.Open(place("access_token", c.TenantID), c.AccessToken)
	refresh, err2 := s.s.vault.Open(place("refresh_token", c.TenantID), c.RefreshToken)
	return Grant{Access: access, Refresh: refresh, ExpiresAt: c.TokenExpiresAt}, errors.Join(err1, err2)
}

// OpenPreviousRefresh opens the refresh token that the present one replaced, "" when it is no longer kept.
func (s Connections) OpenPreviousRefresh(c Connection) (string, error) {
	return s.s.vault.Open(place("previous_refresh", c.TenantID), c.PreviousRefresh)
}

// OpenHook opens the webhook's path and secret.
func (s Connections) OpenHook(c Connection) (path, secret string, err error) {
	path, err1 := s.s.vault.Open(place("hook_path", c.TenantID), c.HookPath)
	secret, err2 := s.s.vault.Open(place("hook_secret", c.TenantID), c.HookSecret)
	return path, secret, errors.Join(err1, err2)
}

// LeaseRefresh takes the right to refresh this version of the token until a time: compare-and-swap, so that one
// process in the fleet has it, and nothing is held open while Dialpad is asked. ErrLost: another has it.
func (s Connections) LeaseRefresh(ctx context.Context, tenantID string, version int64, by string, until time.Time) error {
	return database.MustChange(s.s.q(ctx).Model(&Connection{}).
		Where("tenant_id = ? AND token_version = ? AND state <> ?", tenantID, version, Disconnected).
		Where("refresh_lease_until IS NULL OR refresh_lease_until < ? OR refresh_lease_by = ?", s.s.db.Now(), by).
		Updates(map[string]any{"refresh_lease_by": by, "refresh_lease_until": until.UTC()}))
}

// SaveRefreshed stores a rotated pair, durable before anyone uses it, and keeps the one it replaced until the new
// one has worked. It is stored whoever holds the lease by now: a pair that Dialpad gave must not be thrown away,
// unless somebody stored a newer one (ErrLost).
func (s Connections) SaveRefreshed(ctx context.Context, tenantID string, version int64, old string, g Grant) error {
	return database.MustChange(s.s.q(ctx).Model(&Connection{}).
		Where("tenant_id = ? AND token_version = ? AND state <> ?", tenantID, version, Disconnected).
		Updates(map[string]any{
			"access_token":     s.s.vault.Seal(place("access_token", tenantID), g.Access),
			"refresh_token":    s.s.vault.Seal(place("refresh_token", tenantID), g.Refresh),
			"previous_refresh": s.s.vault.Seal(place("previous_refresh", tenantID), old),
			"token_expires_at": database.UTC(g.ExpiresAt), "token_issued_at": s.s.db.Now(), "token_version": version + 1,
			"refresh_lease_by": "", "refresh_lease_until": nil, "refresh_failed_at": nil}))
}

// ReleaseRefresh gives the lease back after a refresh that failed; failed notes when, so that callers back off.
func (s Connections) ReleaseRefresh(ctx context.Context, tenantID, by string, failed *time.Time) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND refresh_lease_by = ?", tenantID, by).
		Updates(map[string]any{"refresh_lease_by": "", "refresh_lease_until": nil, "refresh_failed_at": database.UTC(failed)}).Error
}

// TokenWorked forgets the replaced refresh token: the pair of this version has been accepted by Dialpad.
func (s Connections) ConfirmToken(ctx context.Context, tenantID string, version int64) error {
	return s.s.q(ctx).Model(&Connection{}).
		Where("tenant_id = ? AND token_version = ? AND previous_refresh <> ''", tenantID, version).
		Update("previous_refresh", "").Error
}

// Break marks the connection broken with a sentence for the admin. Only the token of this version may be to blame;
// 0 blames the grant whatever its version.
func (s Connections) MarkBroken(ctx context.Context, tenantID string, version int64, reason string) (bool, error) {
	q := s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND state = ?", tenantID, Connected)
	if version != 0 {
		q = q.Where("token_version = ?", version)
	}
	r := q.Updates(map[string]any{"state": Broken, "reason": reason})
	return r.RowsAffected > 0, r.Error
}

// Reword gives a broken connection a closer reason, and tells whether it is another one.
func (s Connections) SetReason(ctx context.Context, tenantID, reason string) (bool, error) {
	r := s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND state = ? AND reason <> ?", tenantID, Broken, reason).Update("reason", reason)
	return r.RowsAffected > 0, r.Error
}

// Mend marks a broken connection connected again, after Dialpad accepted its token.
func (s Connections) MarkConnected(ctx context.Context, tenantID string) (bool, error) {
	r := s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND state = ?", tenantID, Broken).
		Updates(map[string]any{"state": Connected, "reason": ""})
	return r.RowsAffected > 0, r.Error
}

// Disconnect forgets the grant and everything secret about it.
func (s Connections) Disconnect(ctx context.Context, tenantID string) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ?", tenantID).Updates(map[string]any{
		"state": Disconnected, "reason": "", "ready": false, "access_token": "", "refresh_token": "", "previous_refresh": "",
		"token_expires_at": nil, "hook_path": "", "hook_path_hash": "", "hook_secret": "", "webhook_id": "",
		"previous_hook_hash": "", "previous_secret": "", "directory_begun_at": nil, "directory_cursor": "",
		"sms_subscription": "", "change_subscription": "", "subscriptions_note": "", "subscriptions_at": nil,
		"refresh_lease_by": "", "refresh_lease_until": nil, "disconnected_at": s.s.db.Now(),
		"token_version": gorm.Expr("token_version + 1")}).Error
}

// Subscriptions are our webhook and subscriptions at Dialpad, by their ids there; Note says what Dialpad refused.
type Subscriptions struct{ WebhookID, SMS, ChangeLog, Note string }

// SaveSubscriptions stores them, for the grant whose webhook path this is: a reconnect meanwhile has its own. Events to
// the address before are no longer taken from then on.
func (s Connections) SaveSubscriptions(ctx context.Context, tenantID, hookPathHash string, v Subscriptions) error {
	return database.MustChange(s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND hook_path_hash = ?", tenantID, hookPathHash).
		Updates(map[string]any{"webhook_id": v.WebhookID, "sms_subscription": v.SMS, "change_subscription": v.ChangeLog,
			"subscriptions_note": v.Note, "subscriptions_at": s.s.db.Now(), "previous_hook_hash": "", "previous_secret": ""}))
}

// MarkReady lets texts go: directory and subscriptions are in place.
func (s Connections) MarkReady(ctx context.Context, tenantID string) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND state <> ?", tenantID, Disconnected).
		Update("ready", true).Error
}

// SaveDirectoryCursor notes how far a directory came that was begun at a time, for this grant; cursor "" ends it.
func (s Connections) SaveDirectoryCursor(ctx context.Context, c Connection, begun time.Time, cursor string) error {
	at := &begun
	if cursor == "" {
		at = nil
	}
	return database.MustChange(s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND hook_path_hash = ?", c.TenantID, c.HookPathHash).
		UpdateColumns(map[string]any{"directory_begun_at": database.UTC(at), "directory_cursor": cursor}))
}

// OptOutsRead notes that Dialpad's opt-outs were read, by somebody who found them read at a time before: not when they
// became old meanwhile.
func (s Connections) MarkOptOutsRead(ctx context.Context, tenantID string, before *time.Time) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND opt_outs_at IS NOT DISTINCT FROM "+s.s.db.Timestamp("?"), tenantID, database.UTC(before)).
		UpdateColumn("opt_outs_at", s.s.db.Now()).Error
}

// OptOutsOld has Dialpad's opt-outs read again by the next sweep.
func (s Connections) ExpireOptOuts(ctx context.Context, tenantID string) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND opt_outs_at IS NOT NULL", tenantID).
		UpdateColumn("opt_outs_at", s.s.db.Now().Add(-24*time.Hour)).Error
}

// Touch notes when something last happened: directory_at or last_checked_at.
func (s Connections) Touch(ctx context.Context, tenantID string, column ConnectionMoment) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ?", tenantID).UpdateColumn(string(column), s.s.db.Now()).Error
}

// ConnectionMoment is a column that Touch may set.
type ConnectionMoment string

// The moments of a connection.
const (
	DirectoryRead ConnectionMoment = "directory_at"
	GrantChecked  ConnectionMoment = "last_checked_at"
)

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
