package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
	"dialpad-texting/models/queue"
)

// Connection states: connected → broken → disconnected, and connected
// again.
const (
	Connected    = "connected"
	Broken       = "broken"
	Disconnected = "disconnected"
)

// Connection is a tenant's Dialpad grant. A Dialpad company belongs to
// one tenant: a unique index refuses a second.
type Connection struct {
	TenantID string `gorm:"primaryKey"`
	State    string
	Reason   string // why it is broken, for the admin
	Ready    bool   // directory read, subscriptions made

	CompanyID       string
	CompanyName     string
	DialpadUserID   string // the admin whose grant this is
	ConnectedBy     string // that admin's e-mail
	ConnectedByUser string // CRM user id

	AccessToken       Sealed
	RefreshToken      Sealed
	PreviousRefresh   Sealed // kept until Dialpad accepted the new pair
	TokenExpiresAt    *time.Time
	TokenIssuedAt     *time.Time
	TokenVersion      int64
	RefreshLeaseBy    string
	RefreshLeaseUntil *time.Time
	RefreshFailedAt   *time.Time

	HookPath           Sealed // the secret part of our webhook's URL
	HookPathHash       string
	HookSecret         Sealed
	PreviousHookHash   string // before a reconnect; accepted until the new URL is subscribed
	PreviousSecret     Sealed
	WebhookID          string
	SMSSubscription    string `gorm:"column:sms_subscription"`
	ChangeSubscription string
	SubscriptionsNote  string // what Dialpad refused, in its words
	SubscriptionsAt    *time.Time

	DirectoryAt      *time.Time
	DirectoryBegunAt *time.Time // nil: no directory read is in progress
	DirectoryCursor  string     // of its next page
	OptOutsAt        *time.Time
	LastEventAt      *time.Time
	LastCheckedAt    *time.Time
	ConnectedAt      time.Time
	DisconnectedAt   *time.Time
	UpdatedAt        time.Time
}

// Usable reports whether texts may be sent through the connection.
func (c Connection) Usable() bool { return c.State == Connected && c.Ready }

// Finish returns the job that makes the grant ready.
func (c Connection) Finish() queue.FinishConnect {
	return queue.FinishConnect{TenantID: c.TenantID, ConnectedAt: c.ConnectedAt.UnixMilli()}
}

// connectionPlace names a column of a connection for Vault.
func connectionPlace(column, tenantID string) string { return "connections." + column + "." + tenantID }

// Get returns the tenant's connection in whatever state, or ErrNotFound.
func (s Connections) Get(ctx context.Context, tenantID string) (Connection, error) {
	var c Connection
	return c, database.Translate(s.s.q(ctx).Take(&c, "tenant_id = ?", tenantID).Error)
}

// ByHookAllTenants returns the connection of a webhook path, the only
// thing known of an event then. For the path before a reconnect,
// HookSecret is the secret of that path.
func (s Connections) ByHookAllTenants(ctx context.Context, path string) (Connection, error) {
	var c Connection
	// <> '' makes the partial index usable.
	err := database.Translate(s.s.q(ctx).Take(&c, "hook_path_hash = ? AND hook_path_hash <> '' AND state <> ?", Hash(path), Disconnected).Error)
	if !errors.Is(err, database.ErrNotFound) {
		return c, err
	}
	err = database.Translate(s.s.q(ctx).Take(&c, "previous_hook_hash = ? AND previous_hook_hash <> '' AND state <> ?", Hash(path), Disconnected).Error)
	c.HookSecret = c.PreviousSecret
	return c, err
}

// ByCompanyAllTenants returns the connection of a Dialpad company that is
// not disconnected, or ErrNotFound.
func (s Connections) ByCompanyAllTenants(ctx context.Context, companyID string) (Connection, error) {
	var c Connection
	return c, database.Translate(s.s.q(ctx).Take(&c, "company_id = ? AND state <> ?", companyID, Disconnected).Error)
}

// LiveAllTenants reports whether a Dialpad company or person has a
// connection that is not disconnected in any tenant but this one.
func (s Connections) LiveAllTenants(ctx context.Context, companyID, dialpadUserID, exceptTenant string) (bool, error) {
	var n int64
	err := s.s.q(ctx).Model(&Connection{}).Where("state <> ? AND tenant_id <> ? AND (company_id = ? OR dialpad_user_id = ?)",
		Disconnected, exceptTenant, companyID, dialpadUserID).Count(&n).Error
	return n > 0, err
}

// ListAllTenants pages the connections that are not disconnected, by
// tenant id.
func (s Connections) ListAllTenants(ctx context.Context, after string, limit int) ([]Connection, error) {
	var out []Connection
	return out, s.s.q(ctx).Where("tenant_id > ? AND state <> ?", after, Disconnected).
		Order("tenant_id").Limit(limit).Find(&out).Error
}

// NewConnection is what Save stores.
type NewConnection struct {
	TenantID, CompanyID, CompanyName, DialpadUserID, ConnectedBy, ConnectedByUser string
	Grant                                                                         Grant
}

// Save stores a grant as the tenant's connection, not ready yet. It
// returns ErrConflict when the company belongs to another tenant. After a
// reconnect to the same company, the former webhook path stays valid
// until SaveSubscriptions.
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

// keepHook keeps the webhook path that Dialpad is subscribed with.
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
		AccessToken:  s.s.vault.Seal(connectionPlace("access_token", n.TenantID), n.Grant.Access),
		RefreshToken: s.s.vault.Seal(connectionPlace("refresh_token", n.TenantID), n.Grant.Refresh),
		HookPath:     s.s.vault.Seal(connectionPlace("hook_path", n.TenantID), path), HookPathHash: Hash(path),
		HookSecret:     s.s.vault.Seal(connectionPlace("hook_secret", n.TenantID), NewSecret()),
		TokenExpiresAt: database.UTC(n.Grant.ExpiresAt), TokenIssuedAt: &now, TokenVersion: now.UnixNano(), ConnectedAt: now}
}

// OpenHook opens the webhook's path and secret.
func (s Connections) OpenHook(c Connection) (path, secret string, err error) {
	path, err1 := s.s.vault.Open(connectionPlace("hook_path", c.TenantID), c.HookPath)
	secret, err2 := s.s.vault.Open(connectionPlace("hook_secret", c.TenantID), c.HookSecret)
	return path, secret, errors.Join(err1, err2)
}

// MarkBroken marks a connected connection broken, with a sentence for the
// admin, if its token still has this version; 0 matches any. It reports
// whether it did.
func (s Connections) MarkBroken(ctx context.Context, tenantID string, version int64, reason string) (bool, error) {
	q := s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND state = ?", tenantID, Connected)
	if version != 0 {
		q = q.Where("token_version = ?", version)
	}
	r := q.Updates(map[string]any{"state": Broken, "reason": reason})
	return r.RowsAffected > 0, r.Error
}

// SetReason changes the reason of a broken connection, and reports
// whether it was another one.
func (s Connections) SetReason(ctx context.Context, tenantID, reason string) (bool, error) {
	r := s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND state = ? AND reason <> ?", tenantID, Broken, reason).Update("reason", reason)
	return r.RowsAffected > 0, r.Error
}

// MarkConnected marks a broken connection connected again, and reports
// whether it did.
func (s Connections) MarkConnected(ctx context.Context, tenantID string) (bool, error) {
	r := s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND state = ?", tenantID, Broken).
		Updates(map[string]any{"state": Connected, "reason": ""})
	return r.RowsAffected > 0, r.Error
}

// Disconnect marks the connection disconnected and deletes its secrets.
func (s Connections) Disconnect(ctx context.Context, tenantID string) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ?", tenantID).Updates(map[string]any{
		"state": Disconnected, "reason": "", "ready": false, "access_token": "", "refresh_token": "", "previous_refresh": "",
		"token_expires_at": nil, "hook_path": "", "hook_path_hash": "", "hook_secret": "", "webhook_id": "",
		"previous_hook_hash": "", "previous_secret": "", "directory_begun_at": nil, "directory_cursor": "",
		"sms_subscription": "", "change_subscription": "", "subscriptions_note": "", "subscriptions_at": nil,
		"refresh_lease_by": "", "refresh_lease_until": nil, "disconnected_at": s.s.db.Now(),
		"token_version": gorm.Expr("token_version + 1")}).Error
}

// Subscriptions are the ids of our webhook and subscriptions at Dialpad,
// and in Note what Dialpad refused.
type Subscriptions struct{ WebhookID, SMS, ChangeLog, Note string }

// SaveSubscriptions stores the subscriptions of the grant with this
// webhook path, and returns ErrLost after a reconnect. The path before
// becomes invalid.
func (s Connections) SaveSubscriptions(ctx context.Context, tenantID, hookPathHash string, v Subscriptions) error {
	return database.LostIfUnchanged(s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND hook_path_hash = ?", tenantID, hookPathHash).
		Updates(map[string]any{"webhook_id": v.WebhookID, "sms_subscription": v.SMS, "change_subscription": v.ChangeLog,
			"subscriptions_note": v.Note, "subscriptions_at": s.s.db.Now(), "previous_hook_hash": "", "previous_secret": ""}))
}

// MarkReady marks a connection usable, unless it is disconnected.
func (s Connections) MarkReady(ctx context.Context, tenantID string) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND state <> ?", tenantID, Disconnected).
		Update("ready", true).Error
}

// SaveDirectoryCursor stores the next page of a directory read that began
// at begun; "" ends it. It returns ErrLost after a reconnect.
func (s Connections) SaveDirectoryCursor(ctx context.Context, c Connection, begun time.Time, cursor string) error {
	at := &begun
	if cursor == "" {
		at = nil
	}
	return database.LostIfUnchanged(s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND hook_path_hash = ?", c.TenantID, c.HookPathHash).
		UpdateColumns(map[string]any{"directory_begun_at": database.UTC(at), "directory_cursor": cursor}))
}

// MarkOptOutsRead stores that Dialpad's opt-outs were read, unless
// opt_outs_at is no longer what it was before: they expired meanwhile.
func (s Connections) MarkOptOutsRead(ctx context.Context, tenantID string, before *time.Time) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND opt_outs_at IS NOT DISTINCT FROM "+s.s.db.Dialect().Timestamp("?"), tenantID, database.UTC(before)).
		UpdateColumn("opt_outs_at", s.s.db.Now()).Error
}

// MarkOptOutsStale makes the next sweep read Dialpad's opt-outs again.
func (s Connections) MarkOptOutsStale(ctx context.Context, tenantID string) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND opt_outs_at IS NOT NULL", tenantID).
		UpdateColumn("opt_outs_at", s.s.db.Now().Add(-24*time.Hour)).Error
}

// SetMoment sets a column to the present time.
func (s Connections) SetMoment(ctx context.Context, tenantID string, column ConnectionMoment) error {
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ?", tenantID).UpdateColumn(string(column), s.s.db.Now()).Error
}

// ConnectionMoment is a column that SetMoment may set.
type ConnectionMoment string

// The columns that SetMoment may set.
const (
	DirectoryRead ConnectionMoment = "directory_at"
	GrantChecked  ConnectionMoment = "last_checked_at"
)
