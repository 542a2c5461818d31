package delivery

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// claimWithin is how long a lane's claim waits for others; a slot keeps its rate although it is used a little late.
	claimWithin = 10 * time.Millisecond
	// askTimeout bounds a question to the database, a lane's own or one of many.
	askTimeout = 10 * time.Second
)

// claim claims what the pace allows at this moment, up to n texts.
func (l *lane) claim(ctx context.Context, n int) (ledger.ClaimResult, error) {
	now := l.e.cfg.Now()
	l.mu.Lock()
	may, base, _ := l.pace.due(now, n)
	interval := l.pace.interval()
	l.mu.Unlock()
	if may == 0 {
		return ledger.ClaimResult{Busy: true}, nil // an answer that came just now slowed the lane down
	}
	take := ledger.ClaimSize{N: may, MaxLowerClass: 1 + int(l.Served)%2, Base: base, Interval: interval}
	if l.mixed { // else there is nothing to go before, and looking costs a third of the claim
		take.LowerClass = (l.streak + may) / fairShare
	}
	got, err := l.ask(ctx, take)
	if got.Lost {
		return got, models.ErrLost
	}
	if err != nil || got.Busy {
		l.unheard = err != nil
		return got, err
	}
	l.Additions = got.Additions
	l.Served += int64(len(got.Messages))
	l.mu.Lock()
	if interval > 0 {
		l.pace.took(base, len(got.Messages))
	}
	l.mu.Unlock()
	l.mixed = false
	for _, c := range got.Messages {
		l.mixed = l.mixed || c.Class != ledger.ClassBulk
		if l.streak++; c.Class == ledger.ClassBulk || l.streak > fairShare {
			l.streak = 0
		}
	}
	l.e.count.claimed.Add(int64(len(got.Messages)))
	return got, nil
}

// ask claims: a paced lane together with others, one without a limit alone and at once. It is not cancelled when the
// process stops: a claim that the database made and nobody heard of would leave its texts uncertain although nobody sent
// them.
func (l *lane) ask(ctx context.Context, t ledger.ClaimSize) (got ledger.ClaimResult, err error) {
	if t.Interval > 0 {
		return l.e.claims.one(ledger.ClaimRequest{Lane: l.Lane, ClaimSize: t})
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	got.Messages, got.Additions, err = l.e.store.Lanes.Claim(ctx, l.Lane, t)
	if errors.Is(err, models.ErrLost) {
		return ledger.ClaimResult{Lost: true}, nil
	}
	return got, err
}

// takeBack puts into the queue again what a claim took without this worker hearing of it. Until all else is settled it
// can't tell those texts from the ones on the wire. From one whose outcome could not be written it never can: then the
// lease runs out, and the lane's next owner calls them all uncertain.
func (l *lane) takeBack(ctx context.Context) error {
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
	l.Lane, l.unheard = row, false
	l.e.settler.follow(back)
	if len(back) > 0 {
		l.e.cfg.Log.Warn("a claim's answer was lost; its texts were taken back", "tenant", l.TenantID, "texts", len(back))
	}
	return nil
}
