package ledger

import "context"

// TimelinePending pages the messages whose last change is not in the
// CRM's timeline yet, oldest change first. after is the last message
// of the page before, the zero Message for the first page.
func (s Messages) TimelinePending(ctx context.Context, tenantID string, after Message, limit int) ([]Message, error) {
	var out []Message
	return out, s.l.q(ctx).Where("tenant_id = ? AND timeline_pending AND state <> ? AND (updated_at, id) > (?, ?)", tenantID, Skipped, after.UpdatedAt.UTC(), after.ID).
		Order("updated_at, id").Limit(limit).Find(&out).Error
}

// MarkTimelineSynced marks a message as current in the CRM's timeline,
// unless it changed since m was read.
func (s Messages) MarkTimelineSynced(ctx context.Context, m Message) error {
	return s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id = ? AND updated_at = ?", m.TenantID, m.ID, m.UpdatedAt.UTC()).
		UpdateColumn("timeline_pending", false).Error
}

// TimelinePendingTenantsAllTenants returns the ids of tenants with
// messages for TimelinePending.
func (s Messages) TimelinePendingTenantsAllTenants(ctx context.Context) ([]string, error) {
	var out []string
	return out, s.l.q(ctx).Model(&Message{}).Distinct("tenant_id").Where("timeline_pending").Pluck("tenant_id", &out).Error
}
