package batch

import (
	"context"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/walltime"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// setSchedule makes a batch wait for a time.
func setSchedule(b *ledger.Batch, s walltime.Schedule, now time.Time) error {
	at, err := s.Resolve(now)
	if err != nil {
		return err
	}
	at = at.UTC()
	b.State, b.SendAt, b.StartedAt = ledger.BatchScheduled, &at, nil
	b.LocalTime, b.TimeZone, b.UTCOffset = s.Minute(), s.TimeZone, walltime.OffsetAt(at, s.TimeZone)
	return nil
}

// ScheduleOf is a batch's schedule as it was asked for, nil for none.
func ScheduleOf(b ledger.Batch) *walltime.Schedule {
	if b.LocalTime == "" {
		return nil
	}
	return &walltime.Schedule{Local: b.LocalTime, TimeZone: b.TimeZone, Offset: b.UTCOffset}
}

// movedInstant is the instant that new zone rules gave to a batch's
// wall time, and whether it is another than before. The wall time wins.
func movedInstant(b ledger.Batch) (time.Time, bool) {
	s := ScheduleOf(b)
	if s == nil {
		return time.Time{}, false
	}
	at, ok := s.Reread()
	return at, ok && !at.Equal(*b.SendAt)
}

func moveSchedule(ctx context.Context, store *models.Store, b ledger.Batch, at time.Time) error {
	return apierror.IgnoreLost(store.Batches.UpdateUnchanged(ctx, b, map[string]any{"send_at": at, "utc_offset": walltime.OffsetAt(at, b.TimeZone),
		"history": ledger.Happened(ledger.Moment{At: store.Now(), What: ledger.MomentRescheduled, SendAt: &at, Reason: "The rules of the time zone changed"})}))
}
