package ledger

import (
	"cmp"
	"context"
	"slices"
)

// ResendFilter selects the messages of a batch that are sent again:
// those in the given states, except with the given error codes.
type ResendFilter struct {
	TenantID, BatchID   string
	States, ExceptCodes []string
}

// Take marks messages as sent again in the batch newBatchID,
// and returns their record ids in the order of preparing. Each message
// is taken once, even by concurrent calls, unless the new batch was
// cancelled before it had a message for the record. Call it in the
// transaction that creates the new batch.
func (s Resends) Take(ctx context.Context, f ResendFilter, newBatchID string) (recordIDs []string, err error) {
	if _, err := s.l.Batches.Lock(ctx, f.TenantID, f.BatchID); err != nil {
		return nil, err
	}
	var taken []Message
	err = s.l.query(ctx, "take_for_resend", f.params(newBatchID), &taken)
	slices.SortFunc(taken, func(a, b Message) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range taken {
		recordIDs = append(recordIDs, m.RecordID)
	}
	return recordIDs, err
}

// Count returns how many messages Take would take,
// by state. States without any are missing.
func (s Resends) Count(ctx context.Context, f ResendFilter) (map[string]int, error) {
	var rows []struct {
		State string
		N     int
	}
	err := s.l.query(ctx, "count_for_resend", f.params(""), &rows)
	out := map[string]int{}
	for _, r := range rows {
		out[r.State] = r.N
	}
	return out, err
}

// Any reports whether any of the messages was sent again.
func (s Resends) Any(ctx context.Context, f ResendFilter) (bool, error) {
	var n int64
	err := s.l.query(ctx, "any_resent", f.params(""), &n)
	return n > 0, err
}

// params returns the parameters of the statements about resending.
func (f ResendFilter) params(newBatchID string) map[string]any {
	return map[string]any{"tenant": f.TenantID, "batch": f.BatchID, "states": f.States, "without": f.ExceptCodes, "in": newBatchID}
}
