package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Backlog is what waits in the whole database, for those who run it. A time is
// nil where nothing waits.
type Backlog struct {
	// Lanes that are due and that no worker has leased, and since when the
	// first of them is due.
	DueLanes int
	DueSince *time.Time
	// When the longest waiting of the lanes' next texts was queued, and since
	// when the first of them could have gone: its lane's slot is past.
	QueuedSince, LateSince *time.Time
	// Texts whose outcome is unknown.
	Uncertain int
	// Delivery events that no round has applied, and when the first of them
	// is due; and other events, which have a job each.
	Events, OtherEvents           int
	EventsSince, OtherEventsSince *time.Time
	// Texts whose last change the CRM's timeline does not show yet.
	Timeline      int
	TimelineSince *time.Time
}

// maxCounted is the highest count in a Backlog: counting more would cost more
// than it says.
const maxCounted = 10_000

// BacklogAllTenants reads the backlog of all tenants. Its cost depends on what
// waits, not on what is stored.
func (l *Ledger) BacklogAllTenants(ctx context.Context) (b Backlog, err error) {
	for _, read := range []func(context.Context, *Backlog) error{l.readLaneBacklog, l.readTextBacklog, l.readEventBacklog, l.readTimelineBacklog} {
		if err := read(ctx, &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

// counted counts the rows of a query, up to maxCounted.
func (l *Ledger) counted(ctx context.Context, rows *gorm.DB) (n int, err error) {
	return n, l.q(ctx).Table("(?) AS counted", rows.Select("1").Limit(maxCounted)).Select("count(*)").Scan(&n).Error
}

// first returns the lowest value of a column in a query, nil without rows.
func first(rows *gorm.DB, column string) (*time.Time, error) {
	var found []struct{ At *time.Time }
	err := rows.Select(column + " AS at").Order(column).Limit(1).Find(&found).Error
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].At, nil
}

func (l *Ledger) readLaneBacklog(ctx context.Context, b *Backlog) (err error) {
	due := func() *gorm.DB {
		now := l.db.Now()
		return l.q(ctx).Model(&Lane{}).Where("due_at <= ? AND (lease_until IS NULL OR lease_until < ?)", now, now)
	}
	if b.DueLanes, err = l.counted(ctx, due()); err != nil {
		return err
	}
	b.DueSince, err = first(due(), "due_at")
	return err
}

func (l *Ledger) readTextBacklog(ctx context.Context, b *Backlog) (err error) {
	var next []struct {
		UpdatedAt time.Time
		SlotAt    *time.Time
	}
	if err := l.query(ctx, "next_texts", map[string]any{"now": l.db.Now()}, &next); err != nil {
		return err
	}
	for _, text := range next {
		b.QueuedSince = earlier(b.QueuedSince, text.UpdatedAt)
		if text.SlotAt != nil && text.SlotAt.After(text.UpdatedAt) {
			text.UpdatedAt = *text.SlotAt
		}
		if text.UpdatedAt.Before(l.db.Now()) {
			b.LateSince = earlier(b.LateSince, text.UpdatedAt)
		}
	}
	b.Uncertain, err = l.counted(ctx, l.q(ctx).Model(&Message{}).Where("state = 'uncertain'"))
	return err
}

func earlier(a *time.Time, b time.Time) *time.Time {
	if a == nil || b.Before(*a) {
		return &b
	}
	return a
}

func (l *Ledger) readEventBacklog(ctx context.Context, b *Backlog) (err error) {
	delivery := func() *gorm.DB { return l.q(ctx).Table("incoming_events").Where("retry_at <= ?", l.db.Now()) }
	if b.Events, err = l.counted(ctx, delivery()); err != nil {
		return err
	}
	if b.EventsSince, err = first(delivery(), "retry_at"); err != nil {
		return err
	}
	other := func() *gorm.DB { return l.q(ctx).Model(&WebhookEvent{}).Where("state = 'pending'") }
	if b.OtherEvents, err = l.counted(ctx, other()); err != nil {
		return err
	}
	b.OtherEventsSince, err = first(other(), "received_at")
	return err
}

func (l *Ledger) readTimelineBacklog(ctx context.Context, b *Backlog) (err error) {
	if b.Timeline, err = l.counted(ctx, l.q(ctx).Model(&Message{}).Where("timeline_pending AND state <> 'skipped'")); err != nil {
		return err
	}
	answers := func() *gorm.DB { return l.q(ctx).Table("replies").Where("timeline_pending") }
	n, err := l.counted(ctx, answers())
	if err != nil {
		return err
	}
	b.Timeline += n
	if b.TimelineSince, err = first(answers(), "received_at"); err != nil {
		return err
	}
	tenants, err := l.Timelines.PendingAllTenants(ctx)
	if err != nil {
		return err
	}
	for _, id := range tenants {
		since, err := first(l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND timeline_pending AND state <> 'skipped'", id), "updated_at")
		if err != nil {
			return err
		}
		if since != nil {
			b.TimelineSince = earlier(b.TimelineSince, *since)
		}
	}
	return nil
}
