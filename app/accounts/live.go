package accounts

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/market"
	"dialpad-texting/models"
)

const (
	// answerWithin is how long whoever looks at a list of people waits for a sign of Dialpad.
	answerWithin = 3 * time.Second
	// listWithin is how long they wait for the list; a large company's goes on without them.
	listWithin = 3 * time.Second
)

// Live reads a tenant's people again when the directory is older than that: for lists that somebody chooses from now.
// What takes long comes a moment later. *market.Refusal: dialpad_unreachable when Dialpad does not answer, at once,
// since nobody waits for tries; not_connected when it turns the grant down.
func (a *Accounts) Live(ctx context.Context, tenantID string, olderThan time.Duration) error {
	c, err := a.store.Connections.Get(ctx, tenantID)
	if err != nil {
		return err
	}
	if c.DirectoryAt != nil && a.now().Sub(*c.DirectoryAt) <= olderThan {
		return nil
	}
	if err := a.answers(ctx, c); err != nil {
		return err
	}
	done := a.flight.DoChan("people/"+tenantID, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer cancel()
		return nil, a.readPeople(ctx, tenantID)
	})
	wait := time.NewTimer(listWithin)
	defer wait.Stop()
	select {
	case r := <-done:
		if errors.Is(r.Err, models.ErrLost) {
			return nil // another company was connected meanwhile; its own directory is on its way
		}
		return r.Err
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answers asks Dialpad once for one user. That the user is gone is an answer too.
func (a *Accounts) answers(ctx context.Context, c models.Connection) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err := a.market.Do(ctx, c.TenantID, func(token string) error {
		_, err := a.dp.User(ctx, token, c.DialpadUserID)
		return err
	})
	switch {
	case isRefusal(err):
		return err
	case market.Outage(err), errors.Is(err, context.DeadlineExceeded):
		return market.Unreachable(err)
	}
	return nil
}

// readPeople reads both sides. A CRM that does not name its users is no reason to show nobody.
func (a *Accounts) readPeople(ctx context.Context, tenantID string) error {
	if _, err := a.SyncUsers(ctx, tenantID); err != nil {
		a.log.Warn("the CRM's users could not be read", "tenant", tenantID, "err", err)
	}
	_, err := a.SyncDirectory(ctx, tenantID)
	return err
}
