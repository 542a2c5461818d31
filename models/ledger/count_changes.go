package ledger

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"dialpad-texting/models/database"
)

// openState is the state under which queued, waiting and sending messages
// are counted together: their changes among these cost nothing.
const openState = "open"

// countedState returns the state under which messages are counted.
func countedState(state string) string {
	switch state {
	case Queued, Waiting, Sending:
		return openState
	}
	return state
}

// countKey is what messages are counted by. Minute is when they were settled,
// in minutes since 1970, 0 for those that are not.
type countKey struct {
	TenantID string `json:"tenant_id"`
	BatchID  string `json:"batch_id"`
	Minute   int64  `json:"minute"`
	State    string `json:"state"`
}

// countChange is how many more messages there are.
type countChange struct {
	countKey
	N int64 `json:"n"`
}

type countChanges map[countKey]int64

// add counts one more message of a key, or with n -1 one less.
func (c countChanges) add(k countKey, n int64) {
	if k.State != "" {
		c[k] += n
	}
}

// rows returns what is not zero, in an order that all transactions use.
func (c countChanges) rows() []countChange {
	keys := slices.SortedFunc(maps.Keys(c), func(a, b countKey) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.BatchID, b.BatchID), cmp.Compare(a.State, b.State), cmp.Compare(a.Minute, b.Minute))
	})
	var out []countChange
	for _, k := range keys {
		if c[k] != 0 {
			out = append(out, countChange{k, c[k]})
		}
	}
	return out
}

func minuteOf(at *time.Time) int64 {
	if at == nil {
		return 0
	}
	return at.Unix() / 60
}

// count appends the changes of messages to the counts, and adds them to the
// figures. Each statement that changes a message's state is followed by it, in
// the same transaction and last: the figures' rows are shared.
func (s Counters) count(ctx context.Context, changed []Transition) error {
	changes := countChanges{}
	for _, t := range changed {
		from, to := countedState(t.PreviousState), countedState(t.State)
		if from == to {
			continue
		}
		minute := minuteOf(t.SettledAt)
		changes.add(countKey{t.TenantID, t.BatchID, minute, to}, 1)
		if from == openState || from == Held {
			minute = 0
		}
		changes.add(countKey{t.TenantID, t.BatchID, minute, from}, -1)
	}
	if err := s.appendChanges(ctx, changes); err != nil {
		return err
	}
	return s.l.Figures.count(ctx, changed)
}

// countAdded counts messages that are stored now.
func (s Counters) countAdded(ctx context.Context, added []Message) error {
	transitions := make([]Transition, len(added))
	for i, m := range added {
		transitions[i] = Transition{TenantID: m.TenantID, BatchID: m.BatchID, UserID: m.UserID, State: m.State, SettledAt: m.SettledAt}
	}
	return s.count(ctx, transitions)
}

func (s Counters) appendChanges(ctx context.Context, changes countChanges) error {
	rows := changes.rows()
	if len(rows) == 0 {
		return nil
	}
	return s.l.exec(ctx, "add_count_changes", map[string]any{"changes": database.JSON(rows)})
}
