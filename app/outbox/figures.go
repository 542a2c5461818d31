package outbox

import (
	"context"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/models/ledger"
)

// totals completes a batch's counts with the recipients that have no
// row yet. All that has not left counts in the batch's own state: its
// rows follow a moment later.
func totals(b ledger.Batch, c ledger.Counts) ledger.Counts {
	remaining := c.Queued + c.Held
	if !b.Prepared {
		unprepared := max(0, b.Expected-c.Sum())
		// Who will be left out has no row yet either.
		skipped := min(unprepared, max(0, max(b.ExpectedSkipped, len(b.Excluded))-c.Skipped))
		c.Skipped += skipped
		remaining += unprepared - skipped
	}
	c.Queued, c.Held = 0, 0
	switch {
	case b.State == ledger.BatchCancelled && b.HeldCode == ledger.HeldExpired:
		c.Failed += remaining
	case b.State == ledger.BatchCancelled:
		c.Cancelled += remaining
	case b.State == ledger.BatchHeld:
		c.Held = remaining
	default:
		c.Queued = remaining
	}
	c.Total = c.Sum()
	return c
}

// eta is when a running batch's last text will leave, nil for others.
// Texts that wait for the end of quiet hours may be later than the rate
// says.
func (x *Outbox) eta(ctx context.Context, b ledger.Batch, c ledger.Counts, rate audience.SendRate) (*time.Time, error) {
	remaining := int64(c.Queued + c.Sending)
	if remaining <= 0 || !batch.IsRunning(b) {
		return nil, nil
	}
	from := x.now()
	if b.SendAt != nil && b.SendAt.After(from) {
		from = *b.SendAt
	}
	eta := rate.After(from, max(rate.Queued, remaining))
	if !b.DeferInQuietHours {
		return &eta, nil
	}
	last, err := x.store.Messages.LastDue(ctx, b.TenantID, b.ID)
	if last != nil && last.After(eta) {
		return last, err
	}
	return &eta, err
}
