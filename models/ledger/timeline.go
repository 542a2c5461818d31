package ledger

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// Pending pages the messages whose last change is not in the
// CRM's timeline yet and was made before a time, oldest change first.
// after is the last message of the page before, the zero Message for
// the first page.
func (s Timelines) Pending(ctx context.Context, tenantID string, before time.Time, after Message, limit int) ([]Message, error) {
	var out []Message
	return out, s.l.q(ctx).Where("tenant_id = ? AND timeline_pending AND state <> ? AND updated_at <= ? AND (updated_at, id) > (?, ?)", tenantID, Skipped, before.UTC(), after.UpdatedAt.UTC(), after.ID).
		Order("updated_at, id").Limit(limit).Find(&out).Error
}

// MarkSynced marks messages of a tenant as current in the CRM's
// timeline, in one statement: those that have not changed since they
// were read.
func (s Timelines) MarkSynced(ctx context.Context, tenantID string, messages []Message) error {
	type row struct {
		ID        string `json:"id"`
		UpdatedAt string `json:"updated_at"`
	}
	rows := make([]row, len(messages))
	for i, m := range messages {
		rows[i] = row{m.ID, m.UpdatedAt.UTC().Format(database.TimeFormat)}
	}
	return s.l.exec(ctx, "mark_timeline_synced", map[string]any{"tenant": tenantID, "messages": database.JSON(rows)})
}

// PendingAllTenants returns the ids of the tenants with messages for
// Pending.
func (s Timelines) PendingAllTenants(ctx context.Context) ([]string, error) {
	var out []string
	return out, s.l.query(ctx, "timeline_tenants", nil, &out)
}

// LeaseAllTenants leases the timelines of tenants to a worker for a
// time, and returns the tenants whose timeline it holds now: another worker
// may hold the others.
func (s Timelines) LeaseAllTenants(ctx context.Context, owner string, tenants []string, lease time.Duration) ([]string, error) {
	type row struct {
		ID string `json:"id"`
	}
	rows := make([]row, len(tenants))
	for i, id := range tenants {
		rows[i].ID = id
	}
	var held []string
	args := s.l.leaseArgs(lease, map[string]any{"owner": owner, "tenants": database.JSON(rows)})
	return held, s.l.query(ctx, "lease_timelines", args, &held)
}

// ReleaseAllTenants gives up the timelines that a worker holds.
func (s Timelines) ReleaseAllTenants(ctx context.Context, owner string) error {
	return s.l.exec(ctx, "release_timelines", map[string]any{"owner": owner})
}
