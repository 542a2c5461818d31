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

// ByBatch returns the counts of several batches.
func (s Counters) ByBatch(ctx context.Context, tenantID string, batchIDs []string) (map[string]Counts, error) {
	var rows []struct {
		BatchID, State string
		N              int
	}
	err := s.l.query(ctx, "count_by_batch", map[string]any{"tenant": tenantID, "ids": batchIDs}, &rows)
	out := make(map[string]Counts, len(batchIDs))
	for _, r := range rows {
		c := out[r.BatchID]
		*c.of(r.State) += r.N
		if r.State == Sending { // which are among the open ones
			c.Queued -= r.N
		}
		out[r.BatchID] = c
	}
	return out, err
}

// CountsOf counts messages by state.
func CountsOf(messages []Message) (c Counts) {
	for _, m := range messages {
		*c.of(m.State)++
	}
	return c
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

// SettledSince counts a tenant's messages settled since a time of the
// last hours, by state. It goes by whole minutes.
func (s Counters) SettledSince(ctx context.Context, tenantID string, since time.Time) (Counts, error) {
	var rows []struct {
		State string
		N     int
	}
	var c Counts
	err := s.l.query(ctx, "count_since", map[string]any{"tenant": tenantID, "minute": minuteOf(&since)}, &rows)
	for _, r := range rows {
		*c.of(r.State) += r.N
	}
	return c, err
}

// Queued counts a tenant's queued and waiting messages. laneID is the lane
// that sends them.
func (s Counters) Queued(ctx context.Context, tenantID, laneID string) (int64, error) {
	var n int64
	return n, s.l.query(ctx, "count_queued", map[string]any{"lane": laneID, "tenant": tenantID}, &n)
}

// AttemptedSince counts a tenant's messages that were settled
// since a time after at least one request to Dialpad, up to 10,000.
func (s Counters) AttemptedSince(ctx context.Context, tenantID string, since time.Time) (int64, error) {
	var n int64
	return n, s.l.query(ctx, "count_attempted", map[string]any{"tenant": tenantID, "since": since.UTC()}, &n)
}

// Batches counts a tenant's batches in a state. The state is in the statement's
// text, for Postgres to know how few there are.
func (s Counters) Batches(ctx context.Context, tenantID, state string) (int, error) {
	var n int64
	err := s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = '"+state+"'", tenantID).Count(&n).Error
	return int(n), err
}
