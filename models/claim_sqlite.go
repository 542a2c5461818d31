package models

import (
	"context"
	"strings"
	"time"
)

// SQLite has no updates inside a WITH, and its one writer makes several statements one claim. It picks for each lane by
// itself; all else is done once for all of them.

// pickSQLite looks each candidate's pair up, where Postgres reads those on the wire once: SQLite would compare each
// candidate with all of them.
var pickSQLite = strings.ReplaceAll(pick, noneInFlight, `NOT EXISTS (SELECT 1 FROM messages f WHERE f.lane_id = @lane
	AND f.sender_id = m.sender_id AND f.to_number = m.to_number AND f.state = 'sending')`)

type pickedRow struct {
	ID    string `json:"id"`
	Class int    `json:"-"`
	Turn  int64  `json:"-"`
	Fence int64  `json:"fence"`
}

// servedRow is what a claim changes in its lane's row.
type servedRow struct {
	Lane   string `json:"lane"`
	Slot   string `json:"slot"`
	N      int    `json:"n"`
	Bulk   int64  `json:"bulk"`
	Action int64  `json:"action"`
}

type toldRow struct {
	LaneID string
	Claimed
}

func (s *Store) claimSQLite(ctx context.Context, takes []LaneTake) ([]Taken, error) {
	got, at := make([]Taken, len(takes)), make(map[string]int, len(takes))
	wakes, err := s.leased(ctx, takes)
	if err != nil {
		return nil, err
	}
	var picked []pickedRow
	var served []servedRow
	for i, t := range takes {
		n, stands := wakes[i]
		if !stands {
			got[i].Lost = true
			continue
		}
		got[i].Wakes, at[t.Lane.ID] = n, i
		rows, err := s.pickSQLite(ctx, t)
		if err != nil {
			return nil, err
		}
		picked, served = append(picked, rows...), append(served, servedOf(t, rows))
	}
	if err := s.serve(ctx, served); err != nil || len(picked) == 0 {
		return got, err
	}
	told, err := s.mark(ctx, picked)
	for _, row := range told {
		g := &got[at[row.LaneID]]
		g.Texts = append(g.Texts, row.Claimed)
	}
	return got, err
}

// leased are the wakes of the lanes whose lease stands, by the place of their take.
func (s *Store) leased(ctx context.Context, takes []LaneTake) (map[int]int64, error) {
	ask := make([]takeRow, len(takes))
	for i, t := range takes {
		ask[i] = takeRow{At: i, Lane: t.Lane.ID, Owner: t.Lane.LeaseOwner, Fence: t.Lane.Fence}
	}
	var rows []struct {
		At    int
		Wakes int64
	}
	err := s.q(ctx).Raw(`SELECT json_extract(t.value, '$.at') AS at, l.wakes FROM json_each(@takes) t JOIN lanes l ON l.id = json_extract(t.value, '$.lane')
		AND l.lease_owner = json_extract(t.value, '$.owner') AND l.fence = json_extract(t.value, '$.fence') AND l.lease_until > @now`,
		map[string]any{"takes": toJSON(ask), "now": s.Now()}).Find(&rows).Error
	wakes := make(map[int]int64, len(rows))
	for _, r := range rows {
		wakes[r.At] = r.Wakes
	}
	return wakes, err
}

func (s *Store) pickSQLite(ctx context.Context, t LaneTake) (rows []pickedRow, err error) {
	err = s.q(ctx).Raw(pickSQLite, map[string]any{"lane": t.Lane.ID, "n": t.N, "low": t.Low, "lowclass": t.LowClass}).Find(&rows).Error
	for i := range rows {
		rows[i].Fence = t.Lane.Fence
	}
	return rows, err
}

func servedOf(t LaneTake, rows []pickedRow) servedRow {
	var turns [ClassBulk + 1]int64
	for _, r := range rows {
		turns[r.Class] = max(turns[r.Class], r.Turn)
	}
	slot := t.Base.Add(time.Duration(len(rows)) * t.Interval)
	return servedRow{t.Lane.ID, slot.UTC().Format(timeFormat), len(rows), turns[ClassBulk], turns[ClassAutomation]}
}

// serve moves the lanes' slots and turns on.
func (s *Store) serve(ctx context.Context, served []servedRow) error {
	return s.q(ctx).Exec(`UPDATE lanes SET slot_at = json_extract(o.value, '$.slot'), served = served + json_extract(o.value, '$.n'),
		bulk_turn = max(bulk_turn, json_extract(o.value, '$.bulk')), action_turn = max(action_turn, json_extract(o.value, '$.action')), updated_at = @now
		FROM json_each(@served) AS o WHERE lanes.id = json_extract(o.value, '$.lane')`, map[string]any{"served": toJSON(served), "now": s.Now()}).Error
}

// mark makes the picked texts sending and returns what is to be known of each. The + keeps SQLite from walking the whole
// queue by its index instead of looking each text up.
func (s *Store) mark(ctx context.Context, picked []pickedRow) (told []toldRow, err error) {
	args := map[string]any{"picked": toJSON(picked), "now": s.Now()}
	if err := s.q(ctx).Exec(`UPDATE messages SET state = 'sending', attempt = attempt + 1, fence = json_extract(o.value, '$.fence'), claimed_at = @now,
		answered_at = NULL, updated_at = @now, from_number = coalesce((SELECT a.number FROM accounts a
		WHERE a.tenant_id = messages.tenant_id AND a.dialpad_id = messages.sender_id), from_number)
		FROM json_each(@picked) AS o WHERE messages.id = json_extract(o.value, '$.id') AND +state = 'queued'`, args).Error; err != nil {
		return nil, err
	}
	return told, s.q(ctx).Raw(`WITH claimed AS MATERIALIZED (SELECT * FROM messages WHERE id IN (SELECT json_extract(value, '$.id') FROM json_each(@picked))),
		asked AS MATERIALIZED (`+asked+`)`+facts+` ORDER BY u.class, u.turn, u.id`, args).Find(&told).Error
}
