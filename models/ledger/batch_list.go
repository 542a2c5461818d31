package ledger

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"dialpad-texting/internal/text"
	"dialpad-texting/models/database"
)

// BatchFilter selects batches for List and Search. Empty fields select all.
type BatchFilter struct {
	UserID, State, Source, Query string
	SenderUserID                 string     // whose Dialpad account sends
	From, To                     *time.Time // made from, and before
	// If Query is a number: its forms (E.164) and their keyed hashes.
	Numbers, NumberKeys []string
}

// Values of BatchFilter.State beside the states of a batch: it has texts
// that failed, whose outcome is unknown, or that were answered. A batch is found
// a moment after the first text that failed or is unknown: see
// Counters.FoldAllTenants.
const (
	WithFailed  = "failed"
	WithUnknown = "unknown"
	WithReplied = "replied"
)

// List pages the batches, newest first, whatever Query. after is the id of the
// last batch of the page before, "" for the first page.
func (s Batches) List(ctx context.Context, tenantID string, f BatchFilter, after string, limit int) (out []Batch, err error) {
	if f.State != BatchScheduled {
		return out, batchPages(s).page(ctx, tenantID, f, after, limit).Find(&out).Error
	}
	ids, err := batchPages(s).ids(ctx, tenantID, f, after, limit)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return out, s.l.q(ctx).Where("tenant_id = ? AND id IN ?", tenantID, ids).Order("id DESC").Find(&out).Error
}

// batchPages selects pages of batches.
type batchPages struct{ l *Ledger }

// ids pages the ids of batches. Those that are prepared before their time count
// as scheduled; they are few, and have a query of their own: an OR has no index.
func (s batchPages) ids(ctx context.Context, tenantID string, f BatchFilter, after string, limit int) ([]string, error) {
	var ids, early []string
	if err := s.page(ctx, tenantID, f, after, limit).Pluck("id", &ids).Error; err != nil || f.State != BatchScheduled {
		return ids, err
	}
	f.State = ""
	err := s.page(ctx, tenantID, f, after, limit).Where(isEarly, s.l.db.Now()).Pluck("id", &early).Error
	ids = append(ids, early...)
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(b, a) })
	return ids[:min(limit, len(ids))], err
}

// isEarly is the condition that a batch is prepared before its time.
const isEarly = "state IN ('preparing', 'sending') AND send_at > ?"

// page selects a page of batches by all of a filter but its query.
func (s batchPages) page(ctx context.Context, tenantID string, f BatchFilter, after string, limit int) *gorm.DB {
	q := ofUser(s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ?", tenantID), f.UserID)
	switch f.State { // each has its index
	case "":
	case WithFailed:
		q = q.Where("has_failed")
	case WithUnknown:
		q = q.Where("has_unknown")
	case WithReplied:
		q = q.Where("has_replied")
	case BatchPreparing, BatchSending:
		q = q.Where("state = ? AND NOT coalesce(send_at > ?, false)", f.State, s.l.db.Now())
	default:
		q = q.Where("state = ?", f.State)
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
	if after != "" {
		q = q.Where("id < ?", after) // ids sort by time (UUIDv7)
	}
	return q.Order("id DESC").Limit(limit)
}

// Underway returns a user's bulks that have begun and not ended, newest first.
func (s Batches) Underway(ctx context.Context, tenantID, userID string, limit int) ([]Batch, error) {
	var out []Batch
	return out, s.l.q(ctx).Where("tenant_id = ? AND user_id = ? AND source = 'bulk' AND state IN ('preparing', 'sending', 'paused', 'held')", tenantID, userID).
		Order("id DESC").Limit(limit).Find(&out).Error
}

// searchedBatches is how many batches one Search reads. Text is found anywhere
// in a word, for which there is no index that costs nothing to keep.
const searchedBatches = 1000

// Search pages the batches as List does, those that match the query. It reads
// some batches at a time: next is the id to go on after where there may be
// more, "" at the end, also if it found fewer than limit or none.
//
// A number finds the batches with that recipient, by index.
func (s Batches) Search(ctx context.Context, tenantID string, f BatchFilter, after string, limit int) (found []Batch, next string, err error) {
	if text.IsBlank(f.Query) {
		found, err = s.List(ctx, tenantID, f, after, limit+1)
		return cutPage(found, limit, "", err)
	}
	folded := text.Fold(f.Query)
	if folded == "" {
		return nil, "", nil // accents alone
	}
	if len(f.Numbers) > 0 {
		found, err = batchPages(s).byRecipient(ctx, tenantID, f, after, limit+1)
		return cutPage(found, limit, "", err)
	}
	read, err := batchPages(s).ids(ctx, tenantID, f, after, searchedBatches)
	if err != nil {
		return nil, "", err
	}
	if len(read) == searchedBatches {
		next = read[len(read)-1]
	}
	like := "%" + database.EscapeLike(folded) + "%"
	err = s.l.query(ctx, "search_batches", map[string]any{"tenant": tenantID, "ids": database.JSON(read), "like": like, "number": f.Query, "n": limit + 1}, &found)
	return cutPage(found, limit, next, err)
}

// cutPage cuts a page that has one batch too many, after which the next one goes on.
func cutPage(found []Batch, limit int, next string, err error) ([]Batch, string, error) {
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].ID
	}
	return found, next, err
}

// byRecipient pages the batches that text a number, or will.
func (s batchPages) byRecipient(ctx context.Context, tenantID string, f BatchFilter, after string, limit int) ([]Batch, error) {
	var out []Batch
	q := s.page(ctx, tenantID, f, after, limit).Where(`id IN (
		SELECT batch_id FROM recipients WHERE tenant_id = ? AND number_key IN ? AND number_key <> ''
		UNION SELECT id FROM batches WHERE tenant_id = ? AND to_number IN ? AND to_number <> '')`,
		tenantID, append(f.NumberKeys, ""), tenantID, append(f.Numbers, f.Query))
	return out, q.Find(&out).Error
}

// ListByState pages the batches in the given states, oldest first.
// after is as for List.
func (s Batches) ListByState(ctx context.Context, tenantID string, states []string, after string, limit int) ([]Batch, error) {
	var out []Batch
	return out, withoutLists(s.l.q(ctx)).Where("tenant_id = ? AND state IN ? AND id > ?", tenantID, states, after).
		Order("id").Limit(limit).Find(&out).Error
}
