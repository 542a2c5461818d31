package jobs

import (
	"context"

	"dialpad-texting/models"
)

// syncOptOut reports one opt-out or opt-in to the CRM. Its
// job is retried by River alone; no sweep finds it again.
func (r *Runner) syncOptOut(ctx context.Context, j models.TellOptOut) error {
	return r.OptOuts.SyncToCRM(ctx, j)
}
