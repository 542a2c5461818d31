package ledger

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// sqliteClaim claims in a transaction of several statements, since SQLite
// has no updates inside a WITH: one statement per lane picks messages,
// the rest are for all lanes at once.
type sqliteClaim struct{ l *Ledger }

// pickedRow is a message that is claimed.
type pickedRow struct {
	ID    string `json:"id"`
	Class int    `json:"-"`
	Turn  int64  `json:"-"`
	Fence int64  `json:"fence"`
}

// laneRow is what a claim changes in a lane's row.
type laneRow struct {
	Lane   string `json:"lane"`
	Slot   string `json:"slot"`
	N      int    `json:"n"`
	Bulk   int64  `json:"bulk"`
	Action int64  `json:"action"`
}

// factsRow is a claimed message with its lane.
type factsRow struct {
	LaneID string
	ClaimedMessage
}

func (s sqliteClaim) run(ctx context.Context, requests []ClaimRequest) ([]ClaimResult, error) {
	results, requestOf := make([]ClaimResult, len(requests)), make(map[string]int, len(requests))
	additions, err := s.leased(ctx, requests)
	if err != nil {
		return nil, err
	}
	var picked []pickedRow
	var lanes []laneRow
	for i, r := range requests {
		n, leased := additions[i]
		if !leased {
			results[i].Lost = true
			continue
		}
		results[i].Additions, requestOf[r.Lane.ID] = n, i
		rows, err := s.pick(ctx, r)
		if err != nil {
			return nil, err
		}
		picked, lanes = append(picked, rows...), append(lanes, advanceLane(r, rows))
	}
	if err := s.l.exec(ctx, "claim_advance", map[string]any{"lanes": database.JSON(lanes), "now": s.l.db.Now()}); err != nil || len(picked) == 0 {
		return results, err
	}
	facts, err := s.markSending(ctx, picked)
	for _, row := range facts {
		r := &results[requestOf[row.LaneID]]
		r.Messages = append(r.Messages, row.ClaimedMessage)
	}
	return results, err
}

// leased returns Lane.Additions by the index of the request, for
// the lanes whose lease is valid.
func (s sqliteClaim) leased(ctx context.Context, requests []ClaimRequest) (map[int]int64, error) {
	var rows []struct {
		At        int
		Additions int64
	}
	err := s.l.query(ctx, "claim_leased", s.l.leaseArgs(0, map[string]any{"requests": claimRows(requests)}), &rows)
	additions := make(map[int]int64, len(rows))
	for _, r := range rows {
		additions[r.At] = r.Additions
	}
	return additions, err
}

// pick returns the messages to claim from one lane.
func (s sqliteClaim) pick(ctx context.Context, r ClaimRequest) (rows []pickedRow, err error) {
	err = s.l.query(ctx, "claim_pick", map[string]any{"lane": r.Lane.ID, "n": r.N, "now": s.l.db.Now(),
		"lower_class": r.LowClassQuota, "max_lower_class": r.LowClassLimit}, &rows)
	for i := range rows {
		rows[i].Fence = r.Lane.Fence
	}
	return rows, err
}

// advanceLane returns a lane's row after a claim of the picked messages.
func advanceLane(r ClaimRequest, picked []pickedRow) laneRow {
	var turns [ClassBulk + 1]int64
	for _, p := range picked {
		turns[p.Class] = max(turns[p.Class], p.Turn)
	}
	slot := r.Base.Add(time.Duration(len(picked)) * r.Interval)
	return laneRow{r.Lane.ID, slot.UTC().Format(database.TimeFormat), len(picked), turns[ClassBulk], turns[ClassAutomation]}
}

// markSending marks messages as sending and returns their facts.
func (s sqliteClaim) markSending(ctx context.Context, picked []pickedRow) (facts []factsRow, err error) {
	args := map[string]any{"picked": database.JSON(picked), "now": s.l.db.Now()}
	if err := s.l.exec(ctx, "claim_mark", args); err != nil {
		return nil, err
	}
	return facts, s.l.query(ctx, "claim_facts", args, &facts)
}
