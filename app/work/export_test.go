package work

import "context"

// Sweep is one round of the net under every job.
func (c *Crew) Sweep(ctx context.Context) error { return c.sweep(ctx) }
