package models

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Installation states.
const (
	Installed   = "installed"
	Uninstalled = "uninstalled"
)

// Installation is a tenant's installation of the app.
type Installation struct {
	TenantID      string `gorm:"primaryKey"`
	State         string
	InstalledBy   string // CRM user id
	InstalledAt   time.Time
	UninstalledAt *time.Time
}

// Get returns the tenant's installation, or ErrNotFound.
func (s Installations) Get(ctx context.Context, tenantID string) (Installation, error) {
	var i Installation
	return i, database.Translate(s.s.q(ctx).Take(&i, "tenant_id = ?", tenantID).Error)
}

// Install marks the app installed, and returns false when it already is.
func (s Installations) Install(ctx context.Context, tenantID, userID string) (created bool, err error) {
	i := Installation{TenantID: tenantID, State: Installed, InstalledBy: userID, InstalledAt: s.s.db.Now()}
	r := s.s.q(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "tenant_id"}},
		DoUpdates: clause.Assignments(map[string]any{
			"state": Installed, "installed_by": userID, "installed_at": i.InstalledAt, "uninstalled_at": nil}),
		Where: clause.Where{Exprs: []clause.Expression{clause.Neq{Column: "installations.state", Value: Installed}}},
	}).Create(&i)
	return r.RowsAffected > 0, r.Error
}

// Uninstall marks the app uninstalled.
func (s Installations) Uninstall(ctx context.Context, tenantID string) error {
	return s.s.q(ctx).Model(&Installation{}).Where("tenant_id = ? AND state = ?", tenantID, Installed).
		Updates(map[string]any{"state": Uninstalled, "uninstalled_at": s.s.db.Now()}).Error
}
