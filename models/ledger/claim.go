package ledger

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// ClaimedMessage is a message that is going onto the wire now, with everything
// that is checked before it does, read by the statement that claimed it.
type ClaimedMessage struct {
	ID, BatchID, TenantID, Source          string
	SenderID, FromNumber, ToNumber, Text   string
	CallbackID                             string
	Attempt, Class                         int
	Turn                                   int64
	Suppressed                             bool // the number is opted out
	SenderState, SenderNumber, SenderEmail string
	// SenderMatches: the batch's e-mail still belongs to that account; where the
	// batch has none, the e-mail of the message's user.
	SenderMatches                       bool
	SenderStale                         bool
	SenderCheckedAt                     *time.Time
	Plan, InstallState, ConnectionState string
	ConnectionReady                     bool
	CompanyID                           string
	QuietZone, QuietFrom, QuietTo       string // of a text that keeps to quiet hours
}

// ClaimSize is how much to claim, and at what pace.
type ClaimSize struct {
	N             int           // texts at most
	LowerClass    int           // of these, how many go to a lower class first, so that none starves
	MaxLowerClass int           // the lowest class that this share may go to; callers alternate
	Base          time.Time     // the lane's next slot
	Interval      time.Duration // between slots; 0 is unlimited
}

// ClaimRequest asks for texts of one lane.
type ClaimRequest struct {
	Lane Lane
	ClaimSize
}

// ClaimResult is the answer to one ClaimRequest.
type ClaimResult struct {
	Messages  []ClaimedMessage
	Additions int64 // the lane's count, see Lane
	Busy      bool  // another transaction held the lane's row: claim again
	Lost      bool  // the lease no longer stands
}

// Claim marks up to size.N messages of a lane as sending and moves the lane's
// slot on. It returns ErrLost when the lease no longer stands. At most one
// request is in flight for a pair of sender and recipient, and nothing is
// claimed of a batch that is paused, held or cancelled.
func (s Lanes) Claim(ctx context.Context, l Lane, size ClaimSize) (claimed []ClaimedMessage, additions int64, err error) {
	got, err := s.claim(ctx, []ClaimRequest{{l, size}}, "claim_waiting")
	if err != nil {
		return nil, 0, err
	}
	if got[0].Lost {
		return nil, 0, database.ErrLost
	}
	return got[0].Messages, got[0].Additions, nil
}

// ClaimMany claims from many lanes in one statement, which costs little more
// than one lane. It waits for no lock: see ClaimResult.Busy.
func (s Lanes) ClaimMany(ctx context.Context, requests []ClaimRequest) ([]ClaimResult, error) {
	return s.claim(ctx, requests, "claim")
}

func (s Lanes) claim(ctx context.Context, requests []ClaimRequest, statement string) (got []ClaimResult, err error) {
	if !s.l.db.Embedded() {
		return s.claimPostgres(ctx, requests, statement)
	}
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		got, err = tx.Lanes.claimSQLite(ctx, requests)
		return err
	})
	return got, err
}

// claimRow is a claim request as a parameter. It is named by its place, not by
// its lane: a worker that lost a lane and has it again asks with both leases
// for a moment.
type claimRow struct {
	At            int       `json:"at"`
	Lane          string    `json:"lane"`
	Owner         string    `json:"owner"`
	Fence         int64     `json:"fence"`
	N             int       `json:"n"`
	LowerClass    int       `json:"lower_class"`
	MaxLowerClass int       `json:"max_lower_class"`
	Base          time.Time `json:"base"`
	Seconds       float64   `json:"seconds"`
}

func claimRows(requests []ClaimRequest) string {
	rows := make([]claimRow, len(requests))
	for i, r := range requests {
		rows[i] = claimRow{i, r.Lane.ID, r.Lane.LeaseOwner, r.Lane.Fence, r.N, r.LowerClass, r.MaxLowerClass,
			r.Base.UTC(), r.Interval.Seconds()}
	}
	return database.JSON(rows)
}

func (s Lanes) claimPostgres(ctx context.Context, requests []ClaimRequest, statement string) ([]ClaimResult, error) {
	var rows []struct {
		At         int
		Held, Busy bool
		Additions  int64
		ClaimedMessage
	}
	args := map[string]any{"requests": claimRows(requests), "now": s.l.db.Now()}
	if err := s.l.query(ctx, statement, args, &rows); err != nil {
		return nil, err
	}
	got := make([]ClaimResult, len(requests))
	for _, r := range rows {
		g := &got[r.At]
		g.Additions, g.Busy, g.Lost = r.Additions, !r.Held && r.Busy, !r.Held && !r.Busy
		if r.ID != "" {
			g.Messages = append(g.Messages, r.ClaimedMessage)
		}
	}
	return got, nil
}

// UndoClaim takes back what a claim marked although its answer was lost on the
// way from the database: no worker knows of those texts, so none went onto the
// wire. Only for a worker whose other texts are all settled. The fence moves on
// in the same transaction, so that such a claim can't be committed after it;
// the worker goes on with the lane that is returned.
func (s Lanes) UndoClaim(ctx context.Context, l Lane) (Lane, []Transition, error) {
	var undone []Transition
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		now := tx.db.Now()
		if err := database.MustChange(tx.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ? AND lease_owner = ? AND fence = ? AND lease_until > ?",
			l.ID, l.TenantID, l.LeaseOwner, l.Fence, now).UpdateColumn("fence", l.Fence+1)); err != nil {
			return err
		}
		return tx.query(ctx, "undo_claim", map[string]any{"now": now, "lane": l.ID, "tenant": l.TenantID, "fence": l.Fence}, &undone)
	})
	l.Fence++
	return l, undone, err
}
