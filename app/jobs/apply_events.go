package jobs

import (
	"context"
	"time"

	"dialpad-texting/internal/ctxtime"
)

const (
	// eventInterval is how often pending delivery events are looked for.
	eventInterval = 100 * time.Millisecond
	// eventPause lets events gather between two rounds.
	eventPause = 20 * time.Millisecond
	// maxRoundEvents is how many events one round applies.
	maxRoundEvents = 1000
)

// NotifyEvents applies pending delivery events now instead of at the next
// interval. Call it after storing some in the same process.
func (r *Runner) NotifyEvents() {
	select {
	case r.eventSignal() <- struct{}{}:
	default:
	}
}

func (r *Runner) eventSignal() chan struct{} {
	r.eventsOnce.Do(func() { r.events = make(chan struct{}, 1) })
	return r.events
}

// applyEvents applies pending delivery events in rounds until ctx ends.
func (r *Runner) applyEvents(ctx context.Context) {
	ticker := time.NewTicker(eventInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		tried, err := r.Reconciler.Round(ctx, maxRoundEvents)
		if err != nil && ctx.Err() == nil {
			r.Log.Error("apply events failed", "err", err)
		}
		if err == nil && tried == maxRoundEvents {
			continue
		}
		if tried > 0 && ctxtime.Sleep(ctx, eventPause) != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		case <-r.eventSignal():
		}
	}
}
