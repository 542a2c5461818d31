package jobs

import "context"

// Sweep runs one sweep.
func (r *Runner) Sweep(ctx context.Context) error { return sweeper{r}.sweep(ctx) }
