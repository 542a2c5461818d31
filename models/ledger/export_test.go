package ledger

import (
	"context"
	"time"
)

// ApplyLateRule is what a lane's owner does at a moment when somebody
// else may have been faster.
func (l *Ledger) ApplyLateRule(ctx context.Context, tenantID, id string, due time.Time) error {
	return l.Batches.applyLateRule(ctx, tenantID, id, due)
}
