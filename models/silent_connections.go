package models

import (
	"context"
	"time"
)

// SilentFilter bounds SilentAllTenants in time.
type SilentFilter struct {
	Since, Before time.Time // when the texts were settled
	CheckedBefore time.Time // excludes connections checked since
}

// SilentAllTenants returns the ids of tenants whose connection is to be
// checked: Dialpad accepted a text without any event since, or refused
// one.
func (s Connections) SilentAllTenants(ctx context.Context, f SilentFilter) ([]string, error) {
	var out []string
	return out, s.s.q(ctx).Raw(`SELECT c.tenant_id FROM connections c WHERE c.state = 'connected' AND c.ready AND c.last_checked_at < @checked
		AND (c.sms_subscription <> '' AND EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = c.tenant_id AND m.settled_at > @since
			AND m.settled_at < @before AND m.settled_at > c.subscriptions_at AND m.state = 'sent'
			AND (c.last_event_at IS NULL OR m.settled_at > c.last_event_at) AND m.settled_at > c.last_checked_at)
		OR EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = c.tenant_id AND m.settled_at > @since AND m.settled_at > c.last_checked_at
			AND m.state = 'failed' AND m.error_code = 'dialpad_refused'))`,
		map[string]any{"checked": f.CheckedBefore.UTC(), "since": f.Since.UTC(), "before": f.Before.UTC()}).Scan(&out).Error
}
