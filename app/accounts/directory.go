package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

const perRound = 100

// SyncDirectory reads all users of the tenant's Dialpad company, in all states, then one by one those that the
// directory did not name: not found means deleted. It may run again at any time. Errors: *market.Refusal, or
// models.ErrLost when another company was connected meanwhile.
func (a *Accounts) SyncDirectory(ctx context.Context, tenantID string) (Counts, error) {
	c, err := a.store.Connection(ctx, tenantID)
	if err != nil {
		return Counts{}, err
	}
	begun := a.now()
	counts, err := a.readPages(ctx, c)
	if err != nil {
		return counts, err
	}
	unseen, err := a.readUnseen(ctx, c, begun)
	counts.add(unseen)
	if err != nil {
		return counts, err
	}
	return counts, a.store.Touch(ctx, tenantID, models.DirectoryRead)
}

func (a *Accounts) readPages(ctx context.Context, c models.Connection) (Counts, error) {
	var counts Counts
	for cursor, seen := "", map[string]bool{}; ; {
		asked := a.now()
		var page dialpad.UserPage
		err := a.ask(ctx, c.TenantID, func(token string) (err error) {
			page, err = a.dp.Users(ctx, token, dialpad.UsersQuery{Cursor: cursor})
			return err
		})
		if err != nil {
			return counts, err
		}
		saved, err := a.save(ctx, c, asked, accountsOf(c, page.Items))
		counts.add(saved)
		if err != nil || page.Cursor == "" {
			return counts, err
		}
		if seen[page.Cursor] {
			return counts, fmt.Errorf("the directory's pages go round in a circle")
		}
		seen[page.Cursor] = true
		cursor = page.Cursor
	}
}

// accountsOf leaves out users of another company: a token may span several.
func accountsOf(c models.Connection, users []dialpad.User) []models.Account {
	out := make([]models.Account, 0, len(users))
	for _, u := range users {
		if u.CompanyID == "" || u.CompanyID == c.CompanyID {
			out = append(out, accountOf(u))
		}
	}
	return out
}

func (a *Accounts) readUnseen(ctx context.Context, c models.Connection, begun time.Time) (Counts, error) {
	var counts Counts
	for after := ""; ; {
		list, err := a.store.UnseenAccounts(ctx, c.TenantID, begun, after, perRound)
		if err != nil || len(list) == 0 {
			return counts, err
		}
		read, err := a.readEach(ctx, c, list)
		counts.add(read)
		if err != nil {
			return counts, err
		}
		after = list[len(list)-1].DialpadID
	}
}

// ReadStale reads the users again that a change-log event named.
func (a *Accounts) ReadStale(ctx context.Context, tenantID string) (Counts, error) {
	c, err := a.store.Connection(ctx, tenantID)
	if err != nil {
		return Counts{}, err
	}
	var counts Counts
	for done := map[string]bool{}; ; {
		list, err := a.store.StaleAccounts(ctx, tenantID, perRound)
		if err != nil {
			return counts, err
		}
		var next []models.Account
		for _, v := range list {
			if !done[v.DialpadID] { // one that went stale again meanwhile has its own job
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

// read asks Dialpad for one user. One that is not there any more, or belongs to another company now, is deleted: its
// name and e-mails stay, so that people can be told why.
func (a *Accounts) read(ctx context.Context, c models.Connection, known models.Account) (models.Account, Counts, error) {
	asked := a.now()
	var u dialpad.User
	err := a.ask(ctx, c.TenantID, func(token string) (err error) {
		u, err = a.dp.User(ctx, token, known.DialpadID)
		return err
	})
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
	counts, err := a.save(ctx, c, asked, []models.Account{fresh})
	if gone {
		counts.Read, counts.Gone = 0, 1
	}
	return fresh, counts, err
}

// Fresh gives an account that was read not longer ago than olderThan, and not before an event spoke of it: from
// Dialpad if need be. models.ErrNotFound: nobody knows that account. *market.Refusal dialpad_unreachable: it needs to
// be read and can't be.
func (a *Accounts) Fresh(ctx context.Context, tenantID, dialpadID string, olderThan time.Duration) (models.Account, error) {
	v, err := a.store.Account(ctx, tenantID, dialpadID)
	if err != nil || !v.Stale && a.now().Sub(v.CheckedAt) <= olderThan {
		return v, err
	}
	// A hundred texts of one sender ask once. Whoever asked first may give up without the others' answer being lost.
	answer := a.flight.DoChan(tenantID+"/"+dialpadID, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		c, err := a.store.Connection(ctx, tenantID)
		if err != nil {
			return v, err
		}
		fresh, _, err := a.read(ctx, c, v)
		if err != nil {
			return v, err
		}
		return fresh, nil
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
