package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// forecastBatch counts who of a scheduled bulk would be left out.
func (r *Runner) forecastBatch(ctx context.Context, j queue.ForecastBatch) error {
	return r.Audience.CountForecast(ctx, j.TenantID, j.BatchID)
}
