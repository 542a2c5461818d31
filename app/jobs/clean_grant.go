package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// cleanGrant deletes our webhook and subscriptions at
// Dialpad and revokes a grant that was replaced or refused.
// Its job is retried for a week; no sweep finds it again.
func (r *Runner) cleanGrant(ctx context.Context, j queue.CleanGrant) error {
	return r.Connector.CleanGrant(ctx, j.TenantID, j.AttemptID)
}
