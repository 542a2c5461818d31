package jobs

import (
	"context"
	"time"

	"dialpad-texting/models/queue"
)

const (
	// timelineInterval is how often tenants with pending changes are looked for.
	timelineInterval = time.Second
	// timelineStop bounds the query that gives up the timelines' leases.
	timelineStop = 5 * time.Second
)

// syncTimelines keeps the CRM's timelines up to date until ctx ends.
func (r *Runner) syncTimelines(ctx context.Context) error {
	r.every(ctx, timelineInterval, "timeline round failed", func(ctx context.Context) error {
		_, err := r.Timelines.Start(ctx)
		return err
	})
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), timelineStop)
	defer cancel()
	return r.Timelines.Stop(stopping)
}

// syncTimeline does a job of an older version, which had one for each tenant
// with pending changes: the rounds do it.
func (r *Runner) syncTimeline(context.Context, queue.SyncTimeline) error { return nil }
