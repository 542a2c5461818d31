package accounts

import (
	"context"
	"errors"
	"math"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// Fresh returns an account that was read at most olderThan ago and after the
// last event about it: from Dialpad if need be. Errors: models.ErrNotFound
// for an unknown account; *eligibility.Refusal dialpad_unreachable when it
// has to be read and can't be.
func (a *Accounts) Fresh(ctx context.Context, tenantID, dialpadID string, olderThan time.Duration) (models.Account, error) {
	known := func(ctx context.Context) (v models.Account, fresh bool, err error) {
		v, err = a.store.Accounts.Get(ctx, tenantID, dialpadID)
		return v, err == nil && !v.Stale && a.now().Sub(v.CheckedAt) <= olderThan, err
	}
	v, fresh, err := known(ctx)
	if err != nil || fresh {
		return v, err
	}
	// A hundred texts of one sender share one request, which goes on if the
	// first caller gives up.
	answer := a.flight.DoChan(tenantID+"/"+dialpadID, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		v, fresh, err := known(ctx) // an earlier request may have ended since
		if err != nil || fresh {
			return v, err
		}
		c, err := a.store.Connections.Get(ctx, tenantID)
		if err != nil {
			return v, err
		}
		read, _, err := a.read(ctx, c, v)
		if err != nil {
			return v, err
		}
		return read, nil
	})
	select {
	case r := <-answer:
		account, _ := r.Val.(models.Account)
		if errors.Is(r.Err, models.ErrLost) {
			return account, models.ErrNotFound // another company was connected: these are not its people
		}
		return account, r.Err
	case <-ctx.Done():
		return v, ctx.Err()
	}
}

const (
	maxChanged = 20 // users that ReadChanged reads itself
	anyAge     = time.Duration(math.MaxInt64)
)

// ReadChanged reads the users that a change-log event named. Unknown ids may
// be new users, or no users at all. If there are too many changes to read at
// once it returns true: the rest is for ReadStale.
func (a *Accounts) ReadChanged(ctx context.Context, tenantID string, ids []string) (more bool, err error) {
	c, err := a.store.Connections.Get(ctx, tenantID)
	if err != nil {
		return false, err
	}
	if n, err := a.store.Accounts.CountStale(ctx, tenantID); err != nil || n > maxChanged {
		return true, err
	}
	for _, id := range ids[:min(len(ids), maxChanged)] {
		_, err := a.Fresh(ctx, tenantID, id, anyAge)
		if errors.Is(err, models.ErrNotFound) {
			err = a.readNew(ctx, c, id)
		}
		if err != nil {
			return false, err
		}
	}
	return len(ids) > maxChanged, nil
}

// readNew reads a user that is not stored yet, if there is one.
func (a *Accounts) readNew(ctx context.Context, c models.Connection, id string) error {
	readAt := a.now()
	u, err := a.requestUser(ctx, c, id)
	switch kind := dialpad.KindOf(err); {
	case isRefusal(err):
		return err
	case kind == dialpad.NotFound, kind == dialpad.Refused, kind == dialpad.Forbidden:
		return nil
	case err != nil:
		return err
	}
	_, err = a.save(ctx, c, readAt, accountsOf(c, []dialpad.User{u}))
	return err
}

// ReadStale reads the users that change-log events named and nobody has read
// since. For many it syncs the whole directory, which costs less.
func (a *Accounts) ReadStale(ctx context.Context, tenantID string) (Counts, error) {
	c, err := a.store.Connections.Get(ctx, tenantID)
	if err != nil {
		return Counts{}, err
	}
	var counts Counts
	for done := map[string]bool{}; ; {
		list, err := a.store.Accounts.Stale(ctx, tenantID, accountsPerRound)
		if err != nil {
			return counts, err
		}
		if len(list) == accountsPerRound {
			all, err := a.SyncDirectory(ctx, tenantID)
			counts.add(all)
			return counts, err
		}
		var next []models.Account
		for _, v := range list {
			if !done[v.DialpadID] { // one that became stale again has a job of its own
				done[v.DialpadID] = true
				next = append(next, v)
			}
		}
		if len(next) == 0 {
			return counts, nil
		}
		read, err := a.readEach(ctx, c, next)
		counts.add(read)
		if err != nil {
			return counts, err
		}
	}
}

func (a *Accounts) readEach(ctx context.Context, c models.Connection, list []models.Account) (Counts, error) {
	var counts Counts
	for _, v := range list {
		_, one, err := a.read(ctx, c, v)
		counts.add(one)
		if err != nil {
			return counts, err
		}
	}
	return counts, nil
}

// read reads one user from Dialpad. One that is not found, or belongs to
// another company now, is stored as deleted under its name, so that people
// can read why.
func (a *Accounts) read(ctx context.Context, c models.Connection, known models.Account) (models.Account, Counts, error) {
	readAt := a.now()
	u, err := a.requestUser(ctx, c, known.DialpadID)
	gone := dialpad.KindOf(err) == dialpad.NotFound && !isRefusal(err)
	if err != nil && !gone {
		return known, Counts{}, err
	}
	fresh := accountOf(u)
	if gone || u.CompanyID != "" && u.CompanyID != c.CompanyID {
		gone = true
		fresh = known
		fresh.State, fresh.Number, fresh.Emails = models.AccountDeleted, "", nil
	}
	fresh.DialpadID = known.DialpadID
	counts, err := a.save(ctx, c, readAt, []models.Account{fresh})
	if gone {
		counts.Read, counts.Gone = 0, 1
	}
	return fresh, counts, err
}

func (a *Accounts) requestUser(ctx context.Context, c models.Connection, id string) (u dialpad.User, err error) {
	err = a.request(ctx, c.TenantID, a.userLimiters, func(token string) (err error) {
		u, err = a.dp.User(ctx, token, id)
		return err
	})
	return u, err
}
