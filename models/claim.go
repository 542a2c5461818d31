package models

import (
	"context"
	"encoding/json"
	"strings"
	"time"
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
	QuietZone, QuietFrom, QuietTo          string // quiet hours, of a text that keeps to them
}

// Take is a claim's size and pace.
type Take struct {
	N        int           // texts that go onto the wire now
	Low      int           // of these, how many go to a lower class first, so that no class starves
	LowClass int           // the lowest class that this share may go to; callers alternate
	Base     time.Time     // the lane's next slot
	Interval time.Duration // between slots; 0 is unlimited
}

// LaneTake is a claim of one of several lanes.
type LaneTake struct {
	Lane Lane
	Take
}

// Taken is what came of a claim.
type Taken struct {
	Texts []Claimed
	Wakes int64
	Busy  bool // somebody else had the lane's row just then: claim again
	Lost  bool // the lease no longer stands
}

// Claim marks up to t.N messages of a lane as sending and moves the lane's slot on, if the lease still stands;
// ErrLost when it does not. The statement's own rules: at most one request in flight for a pair of sender and
// recipient; nothing of a batch that is paused, held or cancelled.
func (s *Store) Claim(ctx context.Context, l Lane, t Take) (claimed []Claimed, wakes int64, err error) {
	got, err := s.claim(ctx, []LaneTake{{l, t}}, claimWaiting)
	if err != nil {
		return nil, 0, err
	}
	if got[0].Lost {
		return nil, 0, ErrLost
	}
	return got[0].Texts, got[0].Wakes, nil
}

// ClaimTogether claims from many lanes in one statement, which costs little more than from one. It waits for no lock:
// what somebody holds of one lane must not hold the others up.
func (s *Store) ClaimTogether(ctx context.Context, takes []LaneTake) ([]Taken, error) {
	return s.claim(ctx, takes, claimSkipping)
}

func (s *Store) claim(ctx context.Context, takes []LaneTake, statement string) (got []Taken, err error) {
	if !s.Embedded() {
		return s.claimPostgres(ctx, takes, statement)
	}
	err = s.Tx(ctx, func(tx *Store) error {
		got, err = tx.claimSQLite(ctx, takes)
		return err
	})
	return got, err
}

// pick selects what to claim: the lowest class for its share (favoured 0), then by class and turn. The window keeps
// one message a pair, which also drops what both halves name; the batch's state decides at this very moment.
const pick = `
	SELECT id, class, turn, sender_id FROM (
		SELECT id, class, turn, sender_id, favoured, row_number() OVER (PARTITION BY sender_id, to_number ORDER BY class, turn, id, favoured) AS nth FROM (
			SELECT * FROM (SELECT 0 AS favoured, ` + candidates + `
				AND m.class = (SELECT max(class) FROM messages WHERE lane_id = @lane AND state = 'queued' AND class <= @lowclass)
				ORDER BY m.turn, m.id LIMIT @low /*lock*/) AS lowest
			UNION ALL
			SELECT * FROM (SELECT 1 AS favoured, ` + candidates + `
				ORDER BY m.class, m.turn, m.id LIMIT @n /*lock*/) AS first
		) AS m
	) AS ranked WHERE nth = 1 ORDER BY favoured, class, turn, id LIMIT @n`

const candidates = `m.id, m.class, m.turn, m.sender_id, m.to_number FROM messages m JOIN batches b ON b.id = m.batch_id
	WHERE m.lane_id = @lane AND m.state = 'queued' AND b.state IN ('preparing', 'sending')
	AND ` + noneInFlight

// noneInFlight leaves out pairs that have a request on the wire.
const noneInFlight = `(m.sender_id, m.to_number) NOT IN (SELECT f.sender_id, f.to_number FROM messages f WHERE f.lane_id = @lane AND f.state = 'sending')`

// asked is what is checked of whoever asked for claimed texts, once for many texts; facts is all of each text.
const asked = `
	SELECT w.batch_id, w.sender_id, w.user_id, b.source, coalesce(a.state, '') AS sender_state, coalesce(a.number, '') AS sender_number, b.sender_email,
		CASE WHEN b.sender_email = '' THEN EXISTS (SELECT 1 FROM account_emails e JOIN users p ON p.tenant_id = e.tenant_id AND p.email = e.email
			WHERE e.tenant_id = w.tenant_id AND e.dialpad_id = w.sender_id AND p.user_id = w.user_id AND p.active)
		ELSE EXISTS (SELECT 1 FROM account_emails e WHERE e.tenant_id = w.tenant_id AND e.dialpad_id = w.sender_id AND e.email = b.sender_email)
		END AS sender_matches,
		coalesce(a.stale, true) AS sender_stale, a.checked_at AS sender_checked_at,
		t.plan, coalesce(i.state, '') AS install_state, coalesce(c.state, '') AS connection_state,
		coalesce(c.ready, false) AS connection_ready, coalesce(c.company_id, '') AS company_id, t.quiet_from, t.quiet_to
	FROM (SELECT DISTINCT tenant_id, batch_id, sender_id, user_id FROM claimed) w
	JOIN batches b ON b.id = w.batch_id JOIN tenants t ON t.id = w.tenant_id
	LEFT JOIN accounts a ON a.tenant_id = w.tenant_id AND a.dialpad_id = w.sender_id
	LEFT JOIN installations i ON i.tenant_id = w.tenant_id LEFT JOIN connections c ON c.tenant_id = w.tenant_id`

const facts = `
	SELECT u.id, u.lane_id, u.tenant_id, u.from_number, u.to_number, u.text, u.callback_id, u.attempt, u.class, u.turn, u.quiet_zone, k.*,
		EXISTS (SELECT 1 FROM suppressions s WHERE s.tenant_id = u.tenant_id AND s.number_key = u.to_key) AS suppressed
	FROM claimed u JOIN asked k ON k.batch_id = u.batch_id AND k.sender_id = u.sender_id AND k.user_id = u.user_id`

const claimStatement = `
WITH take AS MATERIALIZED (
	SELECT * FROM json_to_recordset(CAST(@takes AS json)) AS t(at int, lane text, owner text, fence bigint, n int, low int, lowclass int,
		base timestamptz, seconds double precision)
), leased AS MATERIALIZED (
	SELECT t.* FROM take t JOIN lanes l ON l.id = t.lane AND l.lease_owner = t.owner AND l.fence = t.fence AND l.lease_until > @now
	FOR UPDATE OF l /*skip*/
), picked AS MATERIALIZED (
	SELECT t.lane, t.fence, p.* FROM leased t CROSS JOIN LATERAL (/*pick*/) AS p
), lane AS (
	UPDATE lanes SET slot_at = t.base + coalesce(p.n, 0) * t.seconds * interval '1 second', served = served + coalesce(p.n, 0),
		bulk_turn = greatest(bulk_turn, p.bulk), action_turn = greatest(action_turn, p.action), updated_at = @now
	FROM leased t LEFT JOIN (SELECT lane, count(*) AS n, max(turn) FILTER (WHERE class = 2) AS bulk, max(turn) FILTER (WHERE class = 1) AS action
		FROM picked GROUP BY lane) p ON p.lane = t.lane
	WHERE lanes.id = t.lane RETURNING t.at, lanes.id, lanes.tenant_id, lanes.wakes
), claimed AS (
	UPDATE messages SET state = 'sending', attempt = attempt + 1, fence = picked.fence, claimed_at = @now, answered_at = NULL, updated_at = @now,
		from_number = coalesce(a.number, from_number)
	FROM picked JOIN lane ON lane.id = picked.lane LEFT JOIN accounts a ON a.tenant_id = lane.tenant_id AND a.dialpad_id = picked.sender_id
	WHERE messages.id = picked.id AND messages.state = 'queued' RETURNING messages.*
), asked AS MATERIALIZED (` + asked + `), told AS MATERIALIZED (` + facts + `)
SELECT t.at, lane.id IS NOT NULL AS held, lane.wakes, told.*, CASE WHEN lane.id IS NULL THEN EXISTS (
	SELECT 1 FROM lanes l WHERE l.id = t.lane AND l.lease_owner = t.owner AND l.fence = t.fence AND l.lease_until > @now) END AS busy
FROM take t LEFT JOIN lane ON lane.at = t.at LEFT JOIN told ON told.lane_id = lane.id ORDER BY told.class, told.turn, told.id`

var (
	pickOfTake = strings.NewReplacer("@lane", "t.lane", "@lowclass", "t.lowclass", "@low", "t.low", "@n", "t.n").Replace(pick)
	// Alone, a lane waits for its row: whoever has it, has it for a moment.
	claimWaiting  = strings.NewReplacer("/*pick*/", pickOfTake).Replace(claimStatement)
	claimSkipping = strings.NewReplacer("/*pick*/", strings.ReplaceAll(pickOfTake, "/*lock*/", "FOR UPDATE OF m SKIP LOCKED"),
		"/*skip*/", "SKIP LOCKED").Replace(claimStatement)
)

// takeRow names its take by its place, not by its lane: a worker that lost a lane and has it again asks for it with both
// leases for a moment.
type takeRow struct {
	At       int       `json:"at"`
	Lane     string    `json:"lane"`
	Owner    string    `json:"owner"`
	Fence    int64     `json:"fence"`
	N        int       `json:"n"`
	Low      int       `json:"low"`
	LowClass int       `json:"lowclass"`
	Base     time.Time `json:"base"`
	Seconds  float64   `json:"seconds"`
}

type claimRow struct {
	At         int
	Held, Busy bool
	Wakes      int64
	Claimed
}

func (s *Store) claimPostgres(ctx context.Context, takes []LaneTake, statement string) ([]Taken, error) {
	ask := make([]takeRow, len(takes))
	for i, t := range takes {
		ask[i] = takeRow{i, t.Lane.ID, t.Lane.LeaseOwner, t.Lane.Fence, t.N, t.Low, t.LowClass, t.Base.UTC(), t.Interval.Seconds()}
	}
	var rows []claimRow
	// Not Scan: it would write the statement out with its values, for a log that nobody keeps.
	if err := s.q(ctx).Raw(statement, map[string]any{"takes": toJSON(ask), "now": s.Now()}).Find(&rows).Error; err != nil {
		return nil, err
	}
	got := make([]Taken, len(takes))
	for _, r := range rows {
		g := &got[r.At]
		g.Wakes, g.Busy, g.Lost = r.Wakes, !r.Held && r.Busy, !r.Held && !r.Busy
		if r.ID != "" {
			g.Texts = append(g.Texts, r.Claimed)
		}
	}
	return got, nil
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
