package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// syncOptOut reports one opt-out or opt-in to the CRM. Its
// job is retried by River alone; no sweep finds it again.
func (r *Runner) syncOptOut(ctx context.Context, j queue.SyncOptOut) error {
	return r.OptOuts.SyncToCRM(ctx, j)
}
