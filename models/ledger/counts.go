package ledger

import (
	"context"
	"time"
)

// Counts is a number of messages by state. Queued includes waiting
// messages and recipients that are not prepared yet.
type Counts struct {
	Total       int `json:"total"`
	Queued      int `json:"queued"`
	Sending     int `json:"sending"`
	Sent        int `json:"sent"`
	Delivered   int `json:"delivered"`
	Undelivered int `json:"undelivered"`
	Failed      int `json:"failed"`
	Uncertain   int `json:"uncertain"`
	Held        int `json:"held"`
	Cancelled   int `json:"cancelled"`
	Skipped     int `json:"skipped"`
}

// Sum returns the sum of all states.
func (c Counts) Sum() int {
	return c.Queued + c.Sending + c.Sent + c.Delivered + c.Undelivered + c.Failed + c.Uncertain + c.Held + c.Cancelled + c.Skipped
}

// CountByBatch counts the messages of several batches by state.
func (s Messages) CountByBatch(ctx context.Context, tenantID string, batchIDs []string) (map[string]Counts, error) {
	var rows []struct {
		BatchID, State string
		N              int
	}
	err := s.l.q(ctx).Model(&Message{}).Select("batch_id, state, count(*) AS n").
		Where("tenant_id = ? AND batch_id IN ?", tenantID, batchIDs).Group("batch_id, state").Scan(&rows).Error
	out := make(map[string]Counts, len(batchIDs))
	for _, r := range rows {
		c := out[r.BatchID]
		*c.of(r.State) += r.N
		out[r.BatchID] = c
	}
	return out, err
}

// of returns the counter of a state.
func (c *Counts) of(state string) *int {
	switch state {
	case Sending:
		return &c.Sending
	case Sent:
		return &c.Sent
	case Delivered:
		return &c.Delivered
	case Undelivered:
		return &c.Undelivered
	case Failed:
		return &c.Failed
	case Uncertain:
		return &c.Uncertain
	case Held:
		return &c.Held
	case Cancelled:
		return &c.Cancelled
	case Skipped:
		return &c.Skipped
	}
	return &c.Queued
}

// CountSettledSince counts a tenant's messages settled since a time,
// by state.
func (s Messages) CountSettledSince(ctx context.Context, tenantID string, since time.Time) (Counts, error) {
	var rows []struct {
		State string
		N     int
	}
	var c Counts
	err := s.l.q(ctx).Model(&Message{}).Select("state, count(*) AS n").
		Where("tenant_id = ? AND settled_at > ?", tenantID, since.UTC()).Group("state").Scan(&rows).Error
	for _, r := range rows {
		*c.of(r.State) += r.N
	}
	return c, err
}

// CountQueued counts the queued and the waiting messages of a lane.
func (s Messages) CountQueued(ctx context.Context, tenantID, laneID string) (int64, error) {
	var n int64
	return n, s.l.query(ctx, "count_queued", map[string]any{"lane": laneID, "tenant": tenantID}, &n)
}

// CountAttemptedSince counts a tenant's messages that were settled
// since a time after at least one request to Dialpad.
func (s Messages) CountAttemptedSince(ctx context.Context, tenantID string, since time.Time) (int64, error) {
	var n int64
	return n, s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND settled_at > ? AND attempt > 0", tenantID, since.UTC()).Count(&n).Error
}
