package models

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"
)

// Claimed is a message that is going onto the wire now, with everything that is checked before it does, read in the
// same statement that claimed it.
type Claimed struct {
	ID, BatchID, TenantID, Source          string
	SenderID, FromNumber, ToNumber, Text   string
	CallbackID                             string
	Attempt, Class                         int
	Turn                                   int64
	Suppressed                             bool
	SenderState, SenderNumber, SenderEmail string
	SenderMatches                          bool // the e-mail of the batch, or of the message's user where it has none, still belongs to that account
	SenderStale                            bool
	SenderCheckedAt                        *time.Time
	Plan, InstallState, ConnectionState    string
	ConnectionReady                        bool
	CompanyID                              string
}

// Take is a claim's size and pace.
type Take struct {
	N        int           // texts that go onto the wire now
	Low      int           // of these, how many go to a lower class first, so that no class starves
	LowClass int           // the lowest class that this share may go to; callers alternate
	Base     time.Time     // the lane's next slot
	Interval time.Duration // between slots; 0 is unlimited
}

// Claim marks up to t.N messages of a lane as sending and moves the lane's slot on, if the lease still stands;
// ErrLost when it does not. The statement's own rules: at most one request in flight for a pair of sender and
// recipient; nothing of a batch that is paused, held or cancelled.
func (s *Store) Claim(ctx context.Context, l Lane, t Take) (claimed []Claimed, wakes int64, err error) {
	if s.Embedded() {
		err = s.Tx(ctx, func(tx *Store) error {
			claimed, wakes, err = tx.claimSQLite(ctx, l, t)
			return err
		})
		return claimed, wakes, err
	}
	return s.claimPostgres(ctx, l, t)
}

// pick selects what to claim: the lowest class for its share (favoured 0), then by class and turn. The window keeps
// one message a pair, which also drops what both halves name; the batch's state decides at this very moment.
const pick = `
	SELECT id, class, turn FROM (
		SELECT id, class, turn, favoured, row_number() OVER (PARTITION BY sender_id, to_number ORDER BY class, turn, id, favoured) AS nth FROM (
			SELECT * FROM (SELECT 0 AS favoured, ` + candidates + `
				AND m.class = (SELECT max(class) FROM messages WHERE lane_id = @lane AND state = 'queued' AND class <= @lowclass)
				ORDER BY m.turn, m.id LIMIT @low) AS lowest
			UNION ALL
			SELECT * FROM (SELECT 1 AS favoured, ` + candidates + `
				ORDER BY m.class, m.turn, m.id LIMIT @n) AS first
		) AS m
	) AS ranked WHERE nth = 1 ORDER BY favoured, class, turn, id LIMIT @n`

const candidates = `m.id, m.class, m.turn, m.sender_id, m.to_number FROM messages m JOIN batches b ON b.id = m.batch_id
	WHERE m.lane_id = @lane AND m.state = 'queued' AND b.state IN ('preparing', 'sending')
	AND NOT EXISTS (SELECT 1 FROM messages f WHERE f.lane_id = @lane AND f.sender_id = m.sender_id AND f.to_number = m.to_number AND f.state = 'sending')`

const facts = `
	SELECT u.id, u.batch_id, u.tenant_id, b.source, u.sender_id, u.from_number, u.to_number, u.text, u.callback_id, u.attempt, u.class, u.turn,
		EXISTS (SELECT 1 FROM suppressions s WHERE s.tenant_id = u.tenant_id AND s.number_key = u.to_key) AS suppressed,
		coalesce(a.state, '') AS sender_state, coalesce(a.number, '') AS sender_number, b.sender_email,
		CASE WHEN b.sender_email = '' THEN EXISTS (SELECT 1 FROM account_emails e JOIN users p ON p.tenant_id = e.tenant_id AND p.email = e.email
			WHERE e.tenant_id = u.tenant_id AND e.dialpad_id = u.sender_id AND p.user_id = u.user_id AND p.active)
		ELSE EXISTS (SELECT 1 FROM account_emails e WHERE e.tenant_id = u.tenant_id AND e.dialpad_id = u.sender_id AND e.email = b.sender_email)
		END AS sender_matches,
		coalesce(a.stale, true) AS sender_stale, a.checked_at AS sender_checked_at,
		t.plan, coalesce(i.state, '') AS install_state, coalesce(c.state, '') AS connection_state,
		coalesce(c.ready, false) AS connection_ready, coalesce(c.company_id, '') AS company_id
	FROM claimed u JOIN batches b ON b.id = u.batch_id JOIN tenants t ON t.id = u.tenant_id
	LEFT JOIN accounts a ON a.tenant_id = u.tenant_id AND a.dialpad_id = u.sender_id
	LEFT JOIN installations i ON i.tenant_id = u.tenant_id LEFT JOIN connections c ON c.tenant_id = u.tenant_id
	ORDER BY u.class, u.turn, u.id`

const claimStatement = `
WITH picked AS MATERIALIZED (` + pick + `), lane AS (
	UPDATE lanes SET slot_at = CAST(@base AS timestamptz) + (SELECT count(*) FROM picked) * CAST(@interval AS double precision) * interval '1 second',
		served = served + (SELECT count(*) FROM picked), updated_at = @now,
		bulk_turn = greatest(bulk_turn, (SELECT max(turn) FROM picked WHERE class = 2)),
		action_turn = greatest(action_turn, (SELECT max(turn) FROM picked WHERE class = 1))
	WHERE id = @lane AND lease_owner = @owner AND fence = @fence AND lease_until > @now RETURNING id, wakes
), claimed AS (
	UPDATE messages SET state = 'sending', attempt = attempt + 1, fence = @fence, claimed_at = @now, answered_at = NULL, updated_at = @now,
		from_number = coalesce((SELECT a.number FROM accounts a WHERE a.tenant_id = messages.tenant_id AND a.dialpad_id = messages.sender_id), from_number)
	FROM picked, lane WHERE messages.id = picked.id AND messages.state = 'queued' RETURNING messages.*
), told AS (` + facts + `)
SELECT lane.wakes, told.* FROM lane LEFT JOIN told ON true`

type claimRow struct {
	Wakes int64
	Claimed
}

func (l Lane) claimArgs(now time.Time, t Take) map[string]any {
	return map[string]any{"lane": l.ID, "owner": l.LeaseOwner, "fence": l.Fence, "now": now, "n": t.N, "low": t.Low, "lowclass": t.LowClass,
		"base": t.Base.UTC(), "interval": t.Interval.Seconds()}
}

func (s *Store) claimPostgres(ctx context.Context, l Lane, t Take) ([]Claimed, int64, error) {
	var rows []claimRow
	if err := s.q(ctx).Raw(claimStatement, l.claimArgs(s.Now(), t)).Scan(&rows).Error; err != nil {
		return nil, 0, err
	}
	if len(rows) == 0 {
		return nil, 0, ErrLost // the lane's row always answers while the lease stands
	}
	out := make([]Claimed, 0, len(rows))
	for _, r := range rows {
		if r.ID != "" {
			out = append(out, r.Claimed)
		}
	}
	return out, rows[0].Wakes, nil
}

type pickedRow struct {
	ID    string
	Class int
	Turn  int64
}

// claimSQLite is the same in steps: SQLite has no updates inside a WITH, and its one writer makes them atomic.
func (s *Store) claimSQLite(ctx context.Context, l Lane, t Take) ([]Claimed, int64, error) {
	args := l.claimArgs(s.Now(), t)
	var rows []pickedRow
	if err := s.q(ctx).Raw(pick, args).Scan(&rows).Error; err != nil {
		return nil, 0, err
	}
	set := map[string]any{"slot_at": t.Base.Add(time.Duration(len(rows)) * t.Interval).UTC(), "updated_at": s.Now(),
		"served": gorm.Expr("served + ?", len(rows))}
	ids := make([]string, len(rows))
	var turns [ClassBulk + 1]int64
	for i, r := range rows {
		ids[i] = r.ID
		turns[r.Class] = max(turns[r.Class], r.Turn)
	}
	set["bulk_turn"] = gorm.Expr("max(bulk_turn, ?)", turns[ClassBulk])
	set["action_turn"] = gorm.Expr("max(action_turn, ?)", turns[ClassAutomation])
	err := changed(s.q(ctx).Model(&Lane{}).Where("id = ? AND lease_owner = ? AND fence = ? AND lease_until > ?",
		l.ID, l.LeaseOwner, l.Fence, s.Now()).UpdateColumns(set))
	if err != nil {
		return nil, 0, err
	}
	var wakes int64
	if err := s.q(ctx).Raw("SELECT wakes FROM lanes WHERE id = ?", l.ID).Scan(&wakes).Error; err != nil || len(ids) == 0 {
		return nil, wakes, err
	}
	args["ids"] = toJSON(ids)
	if err := s.q(ctx).Exec(`UPDATE messages SET state = 'sending', attempt = attempt + 1, fence = @fence, claimed_at = @now,
		answered_at = NULL, updated_at = @now, from_number = coalesce((SELECT a.number FROM accounts a
		WHERE a.tenant_id = messages.tenant_id AND a.dialpad_id = messages.sender_id), from_number)
		WHERE id IN (SELECT value FROM json_each(@ids)) AND state = 'queued'`, args).Error; err != nil {
		return nil, 0, err
	}
	var out []Claimed
	err = s.q(ctx).Raw(`WITH claimed AS (SELECT * FROM messages WHERE id IN (SELECT value FROM json_each(@ids)))`+facts, args).Scan(&out).Error
	return out, wakes, err
}

// Unclaim takes back what a claim marked although its answer was lost on the way from the database: nobody heard of those
// texts, so none went onto the wire. Only for a worker whose other texts are all settled. The fence moves on in the same
// transaction, so that such a claim can't be committed after it; the worker goes on with the lane that is returned.
func (s *Store) Unclaim(ctx context.Context, l Lane) (Lane, []Settled, error) {
	var back []Settled
	err := s.Tx(ctx, func(tx *Store) error {
		if err := changed(tx.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ? AND lease_owner = ? AND fence = ? AND lease_until > ?",
			l.ID, l.TenantID, l.LeaseOwner, l.Fence, tx.Now()).UpdateColumn("fence", l.Fence+1)); err != nil {
			return err
		}
		return tx.q(ctx).Raw(`UPDATE messages SET state = 'queued', updated_at = ? WHERE lane_id = ? AND tenant_id = ? AND state = 'sending'
			AND fence = ? RETURNING id, tenant_id, batch_id, callback_id, 'waiting' AS state`, tx.Now(), l.ID, l.TenantID, l.Fence).Scan(&back).Error
	})
	l.Fence++
	return l, back, err
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only for types of our own, which always marshal
	}
	return string(b)
}
