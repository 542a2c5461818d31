package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// processCallback turns an accepted automation call into a
// message. The sweep finds it again by Automation.EnqueueStalled.
func (r *Runner) processCallback(ctx context.Context, j queue.ProcessCallback) error {
	return snooze(r.Automation.ProcessCallback(ctx, j.TenantID, j.CallbackID))
}
