package ledger

import (
	"context"
	"strings"
	"time"

	"dialpad-texting/internal/text"
	"dialpad-texting/models/database"
)

// HeldCause is why batches are held, and how many. Overdue is how many
// of them would send at once if they were resumed: their time has
// passed, or they had begun.
type HeldCause struct {
	HeldCode   string
	HeldReason string
	Batches    int
	Overdue    int
}

// Causes counts a tenant's held batches by their code. A userID
// other than "" restricts them to that user's.
func (s OnHold) Causes(ctx context.Context, tenantID, userID string) ([]HeldCause, error) {
	var out []HeldCause
	return out, ofUser(s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = 'held'", tenantID), userID).
		Select("held_code, max(held_reason) AS held_reason, count(*) AS batches, "+
			"sum(CASE WHEN send_at IS NULL OR send_at <= ? OR started_at IS NOT NULL THEN 1 ELSE 0 END) AS overdue", s.l.db.Now()).
		Group("held_code").Order("held_code").Find(&out).Error
}

// IDs returns the ids of held batches with a code, oldest first,
// after an id.
func (s OnHold) IDs(ctx context.Context, tenantID, userID, code, after string, limit int) ([]string, error) {
	var out []string
	return out, ofUser(s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = 'held' AND held_code = ? AND id > ?", tenantID, code, after), userID).
		Order("id").Limit(limit).Pluck("id", &out).Error
}

// CountProblems counts a user's texts that failed or became uncertain
// since a time, by state, up to limit of them.
func (s Messages) CountProblems(ctx context.Context, tenantID, userID string, since time.Time, limit int) (Counts, error) {
	var states []string
	var c Counts
	err := s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND user_id = ? AND settled_at > ? AND state IN ('failed', 'undelivered', 'uncertain')",
		tenantID, userID, since.UTC()).Order("settled_at DESC").Limit(limit).Pluck("state", &states).Error
	for _, state := range states {
		*c.of(state)++
	}
	return c, err
}

// RecordIDs returns the records of a batch that is prepared, in the
// order of preparing, up to limit.
func (s Messages) RecordIDs(ctx context.Context, tenantID, batchID string, limit int) ([]string, error) {
	var out []string
	return out, s.l.q(ctx).Model(&Recipient{}).Where("tenant_id = ? AND batch_id = ?", tenantID, batchID).
		Order("message_id").Limit(limit).Pluck("record_id", &out).Error
}

// searchedMessages is how many messages one Search reads: see searchedBatches.
const searchedMessages = 1000

// Search pages a batch's messages as List does, those alone whose name or
// number has query as a part. It reads some messages at a time: next is the id
// to go on after where there may be more, "" at the end, also if it found fewer
// than limit or none.
func (s Messages) Search(ctx context.Context, tenantID, batchID string, states []string, query, after string, limit int) (found []Message, next string, err error) {
	var read []string
	if err := s.l.q(ctx).Model(&Recipient{}).Where("tenant_id = ? AND batch_id = ? AND message_id > ?", tenantID, batchID, after).
		Order("message_id").Limit(searchedMessages).Pluck("message_id", &read).Error; err != nil {
		return nil, "", err
	}
	if len(read) == searchedMessages {
		next = read[len(read)-1]
	}
	name, old := text.Fold(query), strings.ToLower(query) // older rows of bulks have no folded name
	args := map[string]any{"tenant": tenantID, "ids": database.JSON(read), "name": "%" + database.EscapeLike(name) + "%",
		"old": "%" + database.EscapeLike(old) + "%", "number": "", "states": database.JSON(append([]string{}, states...)), "all": len(states) == 0, "n": limit + 1}
	if digits := SearchedDigits(query); digits != "" {
		args["number"] = "+%" + digits + "%"
	}
	if err := s.l.query(ctx, "search_messages", args, &found); err != nil {
		return nil, "", err
	}
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].ID
	}
	return found, next, nil
}

const minSearchedDigits = 3

// SearchedDigits returns the digits of a search that numbers are compared
// with, "" if there are too few.
func SearchedDigits(query string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, query)
	if len(digits) < minSearchedDigits {
		return ""
	}
	return digits
}
