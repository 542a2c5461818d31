package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"

	"dialpad-texting/internal/text"
	"dialpad-texting/models/database"
)

// withoutLists leaves out a batch's lists of records. Queries over many batches
// use it: a list that can't be decoded must not stop the other batches.
func withoutLists(q *gorm.DB) *gorm.DB { return q.Omit("record_ids", "excluded") }

// DueAllTenants returns up to limit scheduled batches with a send time
// not after before, earliest first.
func (s Batches) DueAllTenants(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	var out []Batch
	return out, withoutLists(s.l.q(ctx)).Where("state = 'scheduled' AND send_at <= ?", before.UTC()).Order("send_at").Limit(limit).Find(&out).Error
}

// ScheduledAllTenants pages the scheduled batches by id.
func (s Batches) ScheduledAllTenants(ctx context.Context, after string, limit int) ([]Batch, error) {
	var out []Batch
	return out, withoutLists(s.l.q(ctx)).Where("state = 'scheduled' AND id > ?", after).Order("id").Limit(limit).Find(&out).Error
}

// SetWarning stores why a scheduled batch would not be sent, "" for no
// problem. It does not change the version, so that it can't make an
// edit fail.
func (s Batches) SetWarning(ctx context.Context, b Batch, warning string) error {
	set := map[string]any{"warning": warning, "warned_at": nil}
	if warning != "" {
		set["warned_at"] = s.l.db.Now()
	}
	return s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND state = 'scheduled' AND version = ?", b.TenantID, b.ID, b.Version).
		UpdateColumns(set).Error
}

// SetExpectedSkipped stores how many of a scheduled batch's people would
// be left out. Like SetWarning it does not change the version.
func (l *Ledger) SetExpectedSkipped(ctx context.Context, b Batch, n int) error {
	return l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id = ? AND state = 'scheduled' AND version = ?", b.TenantID, b.ID, b.Version).
		UpdateColumns(map[string]any{"expected_skipped": n}).Error
}

// Sources returns the source of each of the batches, by batch id.
func (s Batches) Sources(ctx context.Context, tenantID string, ids []string) (map[string]string, error) {
	var batches []Batch
	err := s.l.q(ctx).Select("id", "source").Find(&batches, "tenant_id = ? AND id IN ?", tenantID, ids).Error
	out := make(map[string]string, len(batches))
	for _, b := range batches {
		out[b.ID] = b.Source
	}
	return out, err
}

// Warnings returns the distinct warnings of a tenant's scheduled
// batches, that of the earliest batch first. A userID other than ""
// restricts them to that user's.
func (s Batches) Warnings(ctx context.Context, tenantID, userID string, limit int) ([]string, error) {
	q := ofUser(s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = 'scheduled' AND warning <> ''", tenantID), userID)
	out := []string{}
	return out, q.Group("warning").Order("min(send_at)").Limit(limit).Pluck("warning", &out).Error
}

// BatchFilter selects batches for List. Empty fields select all.
type BatchFilter struct {
	UserID, State, Source, Query string
	SenderUserID                 string     // whose Dialpad account sends
	From, To                     *time.Time // made from, and before
	// If Query is a number: its forms (E.164) and their keyed hashes.
	Numbers, NumberKeys []string
}

// List pages the batches, newest first. after is the id of the last
// batch of the page before, "" for the first page.
func (s Batches) List(ctx context.Context, tenantID string, f BatchFilter, after string, limit int) ([]Batch, error) {
	q := ofUser(s.l.q(ctx).Where("tenant_id = ?", tenantID), f.UserID)
	if f.State != "" {
		q = s.whereState(q, f.State)
	}
	if f.Source != "" {
		q = q.Where("source = ?", f.Source)
	}
	if f.SenderUserID != "" {
		q = q.Where("sender_user_id = ?", f.SenderUserID)
	}
	if f.From != nil {
		q = q.Where("created_at >= ?", f.From.UTC())
	}
	if f.To != nil {
		q = q.Where("created_at < ?", f.To.UTC())
	}
	if !text.IsBlank(f.Query) {
		q = whereQuery(q, tenantID, f)
	}
	if after != "" {
		q = q.Where("id < ?", after) // ids sort by time (UUIDv7)
	}
	var out []Batch
	return out, q.Order("id DESC").Limit(limit).Find(&out).Error
}

// Values of BatchFilter.State beside the states of a batch: it has texts
// that failed, or whose outcome is unknown.
const (
	WithFailed  = "failed"
	WithUnknown = "unknown"
)

// whereState selects by the state that people see: a batch that is
// prepared before its send time counts as scheduled.
func (s Batches) whereState(q *gorm.DB, state string) *gorm.DB {
	switch state { // each has its partial index
	case WithFailed:
		return q.Where("id IN (SELECT m.batch_id FROM messages m WHERE m.tenant_id = batches.tenant_id AND m.state IN ('failed', 'undelivered'))")
	case WithUnknown:
		return q.Where("id IN (SELECT m.batch_id FROM messages m WHERE m.tenant_id = batches.tenant_id AND m.state = 'uncertain')")
	}
	const early = "state IN ('preparing', 'sending') AND send_at > ?"
	if state == BatchScheduled {
		return q.Where("state = 'scheduled' OR "+early, s.l.db.Now())
	}
	return q.Where("state = ? AND NOT coalesce("+early+", false)", state, s.l.db.Now())
}

// whereQuery searches text, sender, workflow, recipients' numbers, and
// the recipient's name of a one-to-one, without case and accents.
func whereQuery(q *gorm.DB, tenantID string, f BatchFilter) *gorm.DB {
	folded := text.Fold(f.Query)
	if folded == "" {
		return q.Where("false") // accents alone
	}
	like := "%" + database.EscapeLike(folded) + "%"
	return q.Where(`search_text LIKE ? ESCAPE '\' OR search_names LIKE ? ESCAPE '\' OR to_number <> '' AND to_number IN ?
		OR source = 'one' AND EXISTS (SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.search_name LIKE ? ESCAPE '\')
		OR id IN (SELECT batch_id FROM recipients WHERE tenant_id = ? AND number_key IN ? AND number_key <> '')`,
		like, like, append(f.Numbers, f.Query), like, tenantID, append(f.NumberKeys, ""))
}

// ListByState pages the batches in the given states, oldest first.
// after is as for List.
func (s Batches) ListByState(ctx context.Context, tenantID string, states []string, after string, limit int) ([]Batch, error) {
	var out []Batch
	return out, withoutLists(s.l.q(ctx)).Where("tenant_id = ? AND state IN ? AND id > ?", tenantID, states, after).
		Order("id").Limit(limit).Find(&out).Error
}

// Count counts a tenant's batches in a state.
func (s Batches) Count(ctx context.Context, tenantID, state string) (int, error) {
	var n int64
	err := s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = ?", tenantID, state).Count(&n).Error
	return int(n), err
}

// HeldSinceAllTenants returns batches held since before a time, the
// longest held first.
func (s Batches) HeldSinceAllTenants(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	var out []Batch
	return out, withoutLists(s.l.q(ctx)).Where("state = 'held' AND held_at < ?", before.UTC()).Order("held_at").Limit(limit).Find(&out).Error
}

// StalledPreparingAllTenants returns batches that have been preparing
// without progress since before a time: their job was lost. Each
// tenant's oldest comes before any tenant's second.
func (s Batches) StalledPreparingAllTenants(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	var out []Batch
	return out, withoutLists(s.l.q(ctx)).Where("state = 'preparing' AND updated_at < ?", before.UTC()).
		Order("row_number() OVER (PARTITION BY tenant_id ORDER BY updated_at, id), updated_at, id").Limit(limit).Find(&out).Error
}

// Finish marks those of the batches done that are prepared and have no
// open message.
func (s Batches) Finish(ctx context.Context, ids []string) error {
	return s.l.exec(ctx, "finish_batches", map[string]any{"now": s.l.db.Now(), "ids": database.JSON(ids)})
}

// FinishStalledAllTenants calls Finish for batches that are sending
// and unchanged since before a time: the process that settled their
// last message may have died before it did.
func (s Batches) FinishStalledAllTenants(ctx context.Context, before time.Time) error {
	var ids []string
	err := s.l.q(ctx).Model(&Batch{}).Where("state = 'sending' AND prepared AND updated_at < ?", before.UTC()).Limit(1000).Pluck("id", &ids).Error
	if err != nil || len(ids) == 0 {
		return err
	}
	return s.Finish(ctx, ids)
}
