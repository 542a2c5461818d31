package ledger

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// CodeRateLimited is the ErrorCode of a message that Dialpad refused for the
// company's rate.
const CodeRateLimited = "rate_limited"

// ErrorCode and ErrorText of a message that waits for the end of its
// recipient's quiet hours.
const (
	CodeQuiet  = "quiet_hours"
	QuietWords = "Waits for the end of the quiet hours"
)

// QueuedQuiet returns up to n queued messages of a lane whose quiet
// hours have begun, the earliest first. They can't be claimed: give
// each another window with SetWindows.
func (s Lanes) QueuedQuiet(ctx context.Context, l Lane, n int) ([]Message, error) {
	var out []Message
	return out, s.l.q(ctx).Select("id", "to_number", "quiet_zone", "quiet_at").
		Where("lane_id = ? AND tenant_id = ? AND state = 'queued' AND quiet_at <= ?", l.ID, l.TenantID, s.l.db.Now()).
		Order("quiet_at").Limit(n).Find(&out).Error
}

// Window is when a queued message may go.
type Window struct {
	MessageID string
	DueAt     time.Time // zero: now
	QuietAt   time.Time // zero: there are no quiet hours
}

// SetWindows stores the windows of queued messages of a lane. A message
// that is due later waits until then, without an attempt.
func (s Lanes) SetWindows(ctx context.Context, l Lane, windows []Window) error {
	if len(windows) == 0 {
		return nil
	}
	type row struct {
		ID    string `json:"id"`
		Due   string `json:"due"`
		Quiet string `json:"quiet"`
	}
	rows := make([]row, len(windows))
	for i, w := range windows {
		rows[i] = row{w.MessageID, encodeTime(w.DueAt), encodeTime(w.QuietAt)}
	}
	return s.l.exec(ctx, "defer_quiet", map[string]any{"windows": database.JSON(rows), "lane": l.ID, "tenant": l.TenantID,
		"code": CodeQuiet, "text": QuietWords, "now": s.l.db.Now()})
}

// encodeTime formats a time as the database does, "" for the zero time.
func encodeTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(database.TimeFormat)
}

// RecomputeQuietWindows lets each open message of a tenant that keeps to quiet
// hours get a new window before it is claimed. Call it in the
// transaction that changes the tenant's hours.
func (s Messages) RecomputeQuietWindows(ctx context.Context, tenantID string) error {
	now := s.l.db.Now()
	if err := s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND quiet_zone <> '' AND state IN ?", tenantID, []string{Queued, Waiting, Held}).
		UpdateColumn("quiet_at", now).Error; err != nil {
		return err
	}
	// Those that wait for an end of quiet hours may go earlier now, but
	// not before the batch's time.
	started := s.l.q(ctx).Model(&Batch{}).Select("id").Where("tenant_id = ? AND (send_at IS NULL OR send_at <= ?)", tenantID, now)
	if err := s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND state = ? AND error_code = ? AND batch_id IN (?)", tenantID, Waiting, CodeQuiet, started).
		UpdateColumn("due_at", now).Error; err != nil {
		return err
	}
	var lanes []Lane
	if err := s.l.q(ctx).Select("id").Where("tenant_id = ?", tenantID).Find(&lanes).Error; err != nil {
		return err
	}
	for _, l := range lanes {
		if err := s.l.Lanes.MarkDue(ctx, tenantID, l.ID, now); err != nil {
			return err
		}
	}
	return nil
}

// nextQuietByLane returns when the first quiet hours of each lane's
// queued messages begin.
func (s Lanes) nextQuietByLane(ctx context.Context, lanes []string) (map[string]time.Time, error) {
	var first []Message
	err := s.l.query(ctx, "next_quiet", map[string]any{"lanes": database.JSON(lanes)}, &first)
	next := make(map[string]time.Time, len(first))
	for _, m := range first {
		next[m.LaneID] = *m.QuietAt
	}
	return next, err
}
