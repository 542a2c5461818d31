package delivery

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/internal/coalesce"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// claimWait is how long a lane's claim waits for other lanes'. A slot
// keeps its rate although it is used a little late.
const claimWait = 10 * time.Millisecond

// claim marks up to n texts as sending, as many as the pace allows
// now.
func (l *lane) claim(ctx context.Context, n int) (ledger.ClaimResult, error) {
	n, base, interval := l.throttle.slots(l.e.cfg.Now(), n)
	if n == 0 {
		return ledger.ClaimResult{Busy: true}, nil // an answer has just slowed the lane down
	}
	got, err := l.requestClaim(ctx, ledger.ClaimParams{N: n, LowClassQuota: l.share.low(n), LowClassLimit: 1 + int(l.Served)%2, Base: base, Interval: interval})
	if got.Lost {
		return got, models.ErrLost
	}
	if err != nil || got.Busy {
		l.claimLost = err != nil
		return got, err
	}
	l.Additions = got.Additions
	l.Served += int64(len(got.Messages))
	if interval > 0 {
		l.throttle.take(base, len(got.Messages))
	}
	l.share.observe(got.Messages)
	l.e.count.claimed.Add(int64(len(got.Messages)))
	return got, nil
}

// requestClaim claims for a paced lane together with others, and for
// one without a limit alone and at once. It goes on when the process
// stops: the texts of a claim whose answer is lost stay sending, though
// nobody sends them, until they are requeued.
func (l *lane) requestClaim(ctx context.Context, t ledger.ClaimParams) (got ledger.ClaimResult, err error) {
	if t.Interval > 0 {
		return l.e.claims.Ask(ledger.ClaimRequest{Lane: l.Lane, ClaimParams: t})
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), coalesce.QueryTimeout)
	defer cancel()
	got.Messages, got.Additions, err = l.e.store.Lanes.Claim(ctx, l.Lane, t)
	if errors.Is(err, models.ErrLost) {
		return ledger.ClaimResult{Lost: true}, nil
	}
	return got, err
}

// undoLostClaim requeues the texts of a claim whose answer was lost.
// It waits until all other texts are settled, since it can't
// distinguish them before. A text whose outcome could not be written
// it can never distinguish: then the lease is left to run out, and
// the lane's next owner ends them all.
func (l *lane) undoLostClaim(ctx context.Context) error {
	if l.unwritten.Load() {
		return models.ErrLost
	}
	if l.open.Load() > 0 {
		return nil
	}
	row, back, err := l.e.store.Lanes.UndoClaim(ctx, l.Lane)
	if err != nil {
		return err
	}
	l.Lane, l.claimLost = row, false
	l.e.settler.addFollowUps(back)
	if len(back) > 0 {
		l.e.cfg.Log.Warn("requeued texts of a claim whose answer was lost", "tenant", l.TenantID, "texts", len(back))
	}
	return nil
}

// lowShare is 1 text in so many that a lower class gets while higher
// classes keep coming.
const lowShare = 10

// classShare keeps a class of texts from starving the lower ones.
type classShare struct {
	streak int  // texts since a lower class had its share
	mixed  bool // the last claim found more than bulks
}

// low is how many of the next n texts go to a lower class first. With
// bulks alone there is no lower class, and searching costs a third of
// a claim.
func (s *classShare) low(n int) int {
	if !s.mixed {
		return 0
	}
	return (s.streak + n) / lowShare
}

func (s *classShare) observe(claimed []ledger.ClaimedMessage) {
	s.mixed = false
	for _, c := range claimed {
		s.mixed = s.mixed || c.Class != ledger.ClassBulk
		if s.streak++; c.Class == ledger.ClassBulk || s.streak > lowShare {
			s.streak = 0
		}
	}
}
