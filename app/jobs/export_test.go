package jobs

import "context"

// Sweep is one round of the net under every job.
func (c *Runner) Sweep(ctx context.Context) error { return c.sweep(ctx) }
