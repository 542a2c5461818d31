package accounts

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
)

const (
	probeTimeout  = 3 * time.Second // for Dialpad to answer at all
	peopleTimeout = 3 * time.Second // for the whole list; a large company's goes on in the background
)

// RefreshPeople reads a tenant's people if the directory is older than
// olderThan, for a list that somebody chooses from now. It waits some
// seconds at most; what takes longer is stored later. Errors:
// *eligibility.Refusal, dialpad_unreachable without retries, or
// not_connected when Dialpad refuses the grant.
func (a *Accounts) RefreshPeople(ctx context.Context, tenantID string, olderThan time.Duration) error {
	c, err := a.store.Connections.Get(ctx, tenantID)
	if err != nil {
		return err
	}
	if c.DirectoryAt != nil && a.now().Sub(*c.DirectoryAt) <= olderThan {
		return nil
	}
	if err := a.probe(ctx, c); err != nil {
		return err
	}
	done := a.flight.DoChan("people/"+tenantID, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer cancel()
		return nil, a.syncPeople(ctx, tenantID)
	})
	select {
	case r := <-done:
		if errors.Is(r.Err, models.ErrLost) {
			return nil // another company was connected meanwhile; FinishConnect reads its directory
		}
		return r.Err
	case <-time.After(peopleTimeout):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// probe asks Dialpad once for one user. "Not found" is an answer too.
func (a *Accounts) probe(ctx context.Context, c models.Connection) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := a.tokens.Do(ctx, c.TenantID, func(token string) error {
		_, err := a.dp.User(ctx, token, c.DialpadUserID)
		return err
	})
	switch {
	case isRefusal(err):
		return err
	case eligibility.IsOutage(err), errors.Is(err, context.DeadlineExceeded):
		return eligibility.Unreachable(err)
	}
	return nil
}

// syncPeople reads the CRM's users and Dialpad's. If the CRM fails, the
// users of the last read remain.
func (a *Accounts) syncPeople(ctx context.Context, tenantID string) error {
	if _, err := a.SyncUsers(ctx, tenantID); err != nil {
		a.log.Warn("sync CRM users failed", "tenant", tenantID, "err", err)
	}
	_, err := a.SyncDirectory(ctx, tenantID)
	return err
}
