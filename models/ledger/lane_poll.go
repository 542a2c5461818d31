package ledger

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// LanePoll is the result of polling a lane.
type LanePoll struct {
	RatePerMinute int        // texts a minute that may be sent, 0 for unlimited
	NextDue       *time.Time // of the first waiting message, nil for none
	NextQuiet     *time.Time // when the first quiet hours of queued messages begin, nil for never
	MoreDue       bool       // more one-to-one texts are due: poll again after sending
}

// maxPolledPerLane is how many messages of a lane one poll queues,
// enough for some seconds. When many companies have messages due at
// once, the first of each must not wait for the tenth of another.
const maxPolledPerLane = 4

// PollAllTenants queues the due one-to-one messages of many lanes, and
// returns each tenant's rate and when the next message is due. If that
// is past and MoreDue is false, call QueueDue: the due messages need
// turns or are overdue.
func (s Lanes) PollAllTenants(ctx context.Context, lanes []Lane) ([]LanePoll, error) {
	ids, tenantIDs := make([]string, len(lanes)), make([]string, len(lanes))
	for i, l := range lanes {
		ids[i], tenantIDs[i] = l.ID, l.TenantID
	}
	next, queued, err := s.queueDueOneToOnes(ctx, ids)
	if err != nil {
		return nil, err
	}
	rates, err := s.ratesAllTenants(ctx, tenantIDs)
	if err != nil {
		return nil, err
	}
	quiet, err := s.nextQuietByLane(ctx, ids)
	if err != nil {
		return nil, err
	}
	polls, now := make([]LanePoll, len(lanes)), s.l.db.Now()
	for i, l := range lanes {
		polls[i].RatePerMinute = rates[l.TenantID]
		if at, begins := quiet[l.ID]; begins {
			polls[i].NextQuiet = &at
		}
		if at, waits := next[l.ID]; waits {
			polls[i].NextDue = &at
			polls[i].MoreDue = queued[l.ID] == maxPolledPerLane && now.Sub(at) < overdueAfter
		}
	}
	return polls, nil
}

// queueDueOneToOnes queues the first due one-to-one messages of each
// lane. It returns when each lane's next message is due, and how many
// were queued by lane.
func (s Lanes) queueDueOneToOnes(ctx context.Context, lanes []string) (next map[string]time.Time, queued map[string]int, err error) {
	if next, err = s.nextDueByLane(ctx, lanes); err != nil {
		return nil, nil, err
	}
	now := s.l.db.Now()
	var due []string
	for id, at := range next {
		if !at.After(now) {
			due = append(due, id)
		}
	}
	if len(due) == 0 {
		return next, nil, nil
	}
	var rows []Message
	err = s.l.query(ctx, "queue_due_one_to_ones", map[string]any{"now": now, "lanes": database.JSON(due),
		"overdue": now.Add(-overdueAfter), "class": ClassOneToOne, "max": maxPolledPerLane}, &rows)
	if err != nil {
		return nil, nil, err
	}
	queued = make(map[string]int, len(due))
	for _, m := range rows {
		queued[m.LaneID]++
	}
	next, err = s.nextDueByLane(ctx, lanes)
	return next, queued, err
}

// nextDueByLane returns when the first waiting message of each lane is
// due.
func (s Lanes) nextDueByLane(ctx context.Context, lanes []string) (map[string]time.Time, error) {
	var first []Message
	err := s.l.query(ctx, "next_due", map[string]any{"lanes": database.JSON(lanes)}, &first)
	next := make(map[string]time.Time, len(first))
	for _, m := range first {
		next[m.LaneID] = *m.DueAt
	}
	return next, err
}

// StaleSenders returns the senders of the first n queued messages of a lane
// whose account was not read since a time, or has changed since. Only SenderID
// and SenderUserID are set.
func (s Lanes) StaleSenders(ctx context.Context, l Lane, since time.Time, n int) ([]ClaimedMessage, error) {
	var out []ClaimedMessage
	return out, s.l.query(ctx, "stale_senders", map[string]any{"lane": l.ID, "tenant": l.TenantID, "since": since.UTC(), "n": n}, &out)
}

// ratesAllTenants returns AllowedRate by tenant.
func (s Lanes) ratesAllTenants(ctx context.Context, tenantIDs []string) (map[string]int, error) {
	var rows []struct {
		ID                     string
		RatePerMinute, Reserve int
	}
	err := s.l.q(ctx).Table("tenants").Select("id, rate_per_minute, reserve").
		Where("id IN "+s.l.db.Dialect().StringList("?"), database.JSON(tenantIDs)).Find(&rows).Error
	rates := make(map[string]int, len(rows))
	for _, r := range rows {
		rates[r.ID] = AllowedRate(r.RatePerMinute, r.Reserve)
	}
	return rates, err
}

// AllowedRate returns how many texts a minute may be sent: the limit
// minus the reserve for the customer's other tools, at least 1. A
// limit of 0 is unlimited and gives 0.
func AllowedRate(limit, reserve int) int {
	if limit == 0 {
		return 0
	}
	return max(1, limit-reserve)
}
