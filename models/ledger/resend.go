package ledger

import (
	"cmp"
	"context"
	"slices"
)

// ResendFilter selects the texts of a batch whose people are texted again:
// those in some states, without some error codes.
type ResendFilter struct {
	TenantID, BatchID string
	States, Without   []string
}

// TakeForResend marks the texts as sent again in another batch, and returns the
// records they were for, in order. Each text is taken once, also by two at the
// same time. Call it in the transaction that creates that batch.
func (s Messages) TakeForResend(ctx context.Context, f ResendFilter, in string) (recordIDs []string, err error) {
	if _, err := s.l.Batches.Lock(ctx, f.TenantID, f.BatchID); err != nil {
		return nil, err
	}
	var taken []Message
	err = s.l.query(ctx, "take_for_resend", f.values(in), &taken)
	slices.SortFunc(taken, func(a, b Message) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range taken {
		recordIDs = append(recordIDs, m.RecordID)
	}
	return recordIDs, err
}

// CountForResend returns how many texts of each state TakeForResend would take;
// states with none are left out.
func (s Messages) CountForResend(ctx context.Context, f ResendFilter) (map[string]int, error) {
	var found []struct {
		State string
		N     int
	}
	err := s.l.query(ctx, "count_for_resend", f.values(""), &found)
	out := map[string]int{}
	for _, one := range found {
		out[one.State] = one.N
	}
	return out, err
}

// AnyResent tells whether one of the texts was sent again already.
func (s Messages) AnyResent(ctx context.Context, f ResendFilter) (bool, error) {
	var n int64
	err := s.l.query(ctx, "any_resent", f.values(""), &n)
	return n > 0, err
}

func (f ResendFilter) values(in string) map[string]any {
	return map[string]any{"tenant": f.TenantID, "batch": f.BatchID, "states": f.States, "without": f.Without, "in": in}
}
