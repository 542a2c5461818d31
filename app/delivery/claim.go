package delivery

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models"
)

const (
	// claimWithin is how long a lane's claim waits for others; a slot keeps its rate although it is used a little late.
	claimWithin = 10 * time.Millisecond
)

// claim claims what the pace allows at this moment, up to n texts.
func (l *lane) claim(ctx context.Context, n int) (models.Taken, error) {
	now := l.e.cfg.Now()
	l.mu.Lock()
	may, base, _ := l.pace.due(now, n)
	interval := l.pace.interval()
	l.mu.Unlock()
	if may == 0 {
		return models.Taken{Busy: true}, nil // an answer that came just now slowed the lane down
	}
	take := models.Take{N: may, LowClass: 1 + int(l.Served)%2, Base: base, Interval: interval}
	if l.mixed { // else there is nothing to go before, and looking costs a third of the claim
		take.Low = (l.streak + may) / fairShare
	}
	got, err := l.ask(ctx, take)
	if got.Lost {
		return got, models.ErrLost
	}
	if err != nil || got.Busy {
		l.unheard = err != nil
		return got, err
	}
	l.Wakes = got.Wakes
	l.Served += int64(len(got.Texts))
	l.mu.Lock()
	if interval > 0 {
		l.pace.took(base, len(got.Texts))
	}
	l.mu.Unlock()
	l.mixed = false
	for _, c := range got.Texts {
		l.mixed = l.mixed || c.Class != models.ClassBulk
		if l.streak++; c.Class == models.ClassBulk || l.streak > fairShare {
			l.streak = 0
		}
	}
	l.e.count.claimed.Add(int64(len(got.Texts)))
	return got, nil
}

// ask claims: a paced lane together with others, one without a limit alone and at once. It is not cancelled when the
// process stops: a claim that the database made and nobody heard of would leave its texts uncertain although nobody sent
// them.
func (l *lane) ask(ctx context.Context, t models.Take) (got models.Taken, err error) {
	if t.Interval > 0 {
		return l.e.claims.ask(models.LaneTake{Lane: l.Lane, Take: t})
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queryTimeout)
	defer cancel()
	got.Texts, got.Wakes, err = l.e.store.Claim(ctx, l.Lane, t)
	if errors.Is(err, models.ErrLost) {
		return models.Taken{Lost: true}, nil
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
	row, back, err := l.e.store.Unclaim(ctx, l.Lane)
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
