package jobs

import (
	"context"

	"dialpad-texting/models/queue"
)

// completeCallback reports to the CRM how an automation's text
// ended. The sweep finds it again by Automation.EnqueueStalled.
func (r *Runner) completeCallback(ctx context.Context, j queue.CompleteCallback) error {
	return snooze(r.Automation.Complete(ctx, j.TenantID, j.CallbackID))
}
