package ledger

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// ClaimedMessage is a message that is to be sent now, with what is
// checked before. All of it is read by the statement that claims the
// message.
type ClaimedMessage struct {
	ID, BatchID, TenantID, Source        string
	SenderID, FromNumber, ToNumber, Text string
	CallbackID                           string
	Attempt, Class                       int
	Turn                                 int64
	Suppressed                           bool // the number is opted out
	SenderState, SenderNumber            string
	// SenderUserID is the CRM user who sends. SenderMatches reports
	// whether that user is active and has an e-mail of the account, as
	// far as it is known here.
	SenderUserID                        string
	SenderMatches                       bool
	SenderStale                         bool
	SenderCheckedAt                     *time.Time
	Plan, InstallState, ConnectionState string
	ConnectionReady                     bool
	CompanyID                           string
	QuietAt                             *time.Time // when quiet hours begin, nil for never
}

// ClaimParams says how many texts to claim, and at what rate.
type ClaimParams struct {
	N             int           // texts at most
	LowClassQuota int           // how many of N come first from a lower class, so that none starves
	LowClassLimit int           // the lowest class that this share may come from; callers alternate it
	Base          time.Time     // the lane's next slot
	Interval      time.Duration // between slots; 0 is unlimited
}

// ClaimRequest is a claim of one lane.
type ClaimRequest struct {
	Lane Lane
	ClaimParams
}

// ClaimResult is the result of one ClaimRequest.
type ClaimResult struct {
	Messages  []ClaimedMessage
	Additions int64 // Lane.Additions at the claim
	Busy      bool  // the lane's row was locked: claim again
	Lost      bool  // the lease has ended
}

// Claim marks up to size.N queued messages of a lane as sending, and
// advances the lane's slot. It returns the messages and
// Lane.Additions, or ErrLost when the lease has ended. A pair of
// sender and recipient has at most one message sending. Messages of a
// batch that is paused, held or cancelled are not claimed, nor those
// whose recipient has quiet hours.
func (s Lanes) Claim(ctx context.Context, l Lane, size ClaimParams) (claimed []ClaimedMessage, additions int64, err error) {
	results, err := s.claim(ctx, []ClaimRequest{{l, size}}, "claim_waiting")
	if err != nil {
		return nil, 0, err
	}
	if results[0].Lost {
		return nil, 0, database.ErrLost
	}
	return results[0].Messages, results[0].Additions, nil
}

// ClaimMany claims from many lanes in one statement, for little more
// than the cost of one lane, and returns the results in the order of
// the requests. It waits for no lock: see ClaimResult.Busy.
func (s Lanes) ClaimMany(ctx context.Context, requests []ClaimRequest) ([]ClaimResult, error) {
	return s.claim(ctx, requests, "claim")
}

// claim claims in one transaction. statement is the one for Postgres.
func (s Lanes) claim(ctx context.Context, requests []ClaimRequest, statement string) (results []ClaimResult, err error) {
	if !s.l.db.Embedded() {
		return s.claimPostgres(ctx, requests, statement)
	}
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		results, err = sqliteClaim{tx}.run(ctx, requests)
		return err
	})
	return results, err
}

// claimRow is a claim request as a parameter. Results name it by
// its index, not by its lane: a worker that lost and leased a lane again may send
// a request with each lease.
type claimRow struct {
	Index         int       `json:"at"` // index of the request
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
		rows[i] = claimRow{i, r.Lane.ID, r.Lane.LeaseOwner, r.Lane.Fence, r.N, r.LowClassQuota, r.LowClassLimit,
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
	args := s.l.leaseArgs(0, map[string]any{"requests": claimRows(requests), "now": s.l.db.Now()})
	if err := s.l.query(ctx, statement, args, &rows); err != nil {
		return nil, err
	}
	results := make([]ClaimResult, len(requests))
	for _, row := range rows {
		r := &results[row.At]
		r.Additions, r.Busy, r.Lost = row.Additions, !row.Held && row.Busy, !row.Held && !row.Busy
		if row.ID != "" {
			r.Messages = append(r.Messages, row.ClaimedMessage)
		}
	}
	return results, nil
}

// UndoClaim queues the messages again that a failed Claim may have
// marked as sending: its result never arrived, so none of them was
// sent. All other messages of the worker must be settled. UndoClaim
// also raises the fence, so that such a claim can't be committed
// later, and returns the lane with it; the worker must go on with that
// lane. It returns ErrLost when the lease has ended.
func (s Lanes) UndoClaim(ctx context.Context, l Lane) (Lane, []Transition, error) {
	var undone []Transition
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		now := tx.db.Now()
		if err := database.LostIfUnchanged(tx.q(ctx).Model(&Lane{}).Where("id = ? AND tenant_id = ? AND lease_owner = ? AND fence = ?",
			l.ID, l.TenantID, l.LeaseOwner, l.Fence).Where(tx.leaseStands()).UpdateColumn("fence", l.Fence+1)); err != nil {
			return err
		}
		if err := tx.query(ctx, "undo_claim", map[string]any{"now": now, "lane": l.ID, "tenant": l.TenantID, "fence": l.Fence}, &undone); err != nil {
			return err
		}
		return tx.Counters.count(ctx, undone)
	})
	l.Fence++
	return l, undone, err
}
