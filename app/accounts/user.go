package accounts

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models"
)

const (
	// userMaxAge is how old the stored copy of an active user may be.
	userMaxAge = time.Hour
	// usersInterval is the least time between two reads of a tenant's users
	// for single users.
	usersInterval = 30 * time.Second
	usersTimeout  = 2 * time.Minute
)

// User returns a CRM user, the zero User if the CRM has none. A stored copy
// that is old, inactive or missing is read again: the CRM tells of no
// activation. If the CRM does not answer, an active copy is good enough.
func (a *Accounts) User(ctx context.Context, tenantID, userID string) (models.User, error) {
	u, err := a.storedUser(ctx, tenantID, userID)
	if err != nil || userID == "" || u.Active && a.now().Sub(u.SeenAt) < userMaxAge {
		return u, err
	}
	read, err := a.syncUsersAgain(ctx, tenantID)
	switch {
	case err != nil && u.Active:
		a.log.Warn("read the CRM's users again failed", "tenant", tenantID, "err", err)
		return u, nil
	case err != nil || !read:
		return u, err
	}
	return a.storedUser(ctx, tenantID, userID)
}

func (a *Accounts) storedUser(ctx context.Context, tenantID, userID string) (models.User, error) {
	u, err := a.store.Users.Get(ctx, tenantID, userID)
	if errors.Is(err, models.ErrNotFound) {
		return models.User{}, nil
	}
	return u, err
}

// syncUsersAgain reads a tenant's users unless that was done just now, and
// reports whether it read them. Several callers wait for one read, which goes
// on if one of them gives up.
func (a *Accounts) syncUsersAgain(ctx context.Context, tenantID string) (bool, error) {
	done := a.flight.DoChan("users/"+tenantID, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usersTimeout)
		defer cancel()
		if last, ok := a.usersRead.Load(tenantID); ok && a.now().Sub(last.(time.Time)) < usersInterval {
			return false, nil
		}
		if _, err := a.SyncUsers(ctx, tenantID); err != nil {
			return false, err
		}
		a.usersRead.Store(tenantID, a.now())
		return true, nil
	})
	select {
	case r := <-done:
		return r.Err == nil && r.Val.(bool), r.Err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
