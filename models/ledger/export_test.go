package ledger

import (
	"context"
	"time"
)

// ApplyLateRule lets a test call apply for a batch that
// another process has stopped meanwhile.
func (l *Ledger) ApplyLateRule(ctx context.Context, tenantID, id string, due time.Time) error {
	return lateRule{l}.apply(ctx, tenantID, id, due)
}
