package jobs

import (
	"context"
	"time"
)

const (
	foldInterval = time.Second
	// maxFolded is how many changes one transaction folds.
	maxFolded = 5000
)

// foldCounts adds the changes of the counts of texts to the counts. It does
// nothing, and writes nothing, where no text has changed.
func (s sweeper) foldCounts(ctx context.Context) error {
	has, err := s.Store.Counters.HasChangesAllTenants(ctx)
	if err != nil || !has {
		return err
	}
	isDue, err := s.Store.Rounds.Begin(ctx, "fold counts", foldInterval/2)
	if err != nil || !isDue {
		return err
	}
	for ctx.Err() == nil {
		n, err := s.Store.Counters.FoldAllTenants(ctx, maxFolded)
		if err != nil || n < maxFolded {
			return err
		}
	}
	return nil
}
