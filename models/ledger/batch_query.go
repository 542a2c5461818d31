package ledger

import (
	"context"
	"time"

	"gorm.io/gorm"

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
