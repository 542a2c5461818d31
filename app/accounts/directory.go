package accounts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

const (
	perRound = 100
	// goOnWithin is how old a directory may be that was begun and not finished, for a later run to go on with it.
	goOnWithin = 2 * time.Minute
)

// SyncDirectory reads all users of the tenant's Dialpad company, in all states, then one by one those that the
// directory did not name: not found means deleted. It notes how far it came, so that the next run goes on where this
// one had to stop. Errors: *market.Refusal, or models.ErrLost when another company was connected meanwhile.
func (a *Accounts) SyncDirectory(ctx context.Context, tenantID string) (Counts, error) {
	c, err := a.store.Connections.Get(ctx, tenantID)
	if err != nil {
		return Counts{}, err
	}
	w := walk{a: a, c: c, begun: a.now()}
	if c.DirectoryBegunAt != nil && a.now().Sub(*c.DirectoryBegunAt) < goOnWithin {
		w.begun = *c.DirectoryBegunAt
		w.cursor, w.goesOn = strings.CutPrefix(c.DirectoryCursor, pagePrefix)
		w.paged = !w.goesOn
	}
	if err := w.pages(ctx); err != nil {
		return w.counts, err
	}
	if err := w.unseen(ctx); err != nil {
		return w.counts, err
	}
	if err := a.store.Connections.SaveDirectoryCursor(ctx, c, w.begun, ""); err != nil {
		return w.counts, err
	}
	return w.counts, a.store.Connections.Touch(ctx, tenantID, models.DirectoryRead)
}

// What stands before a stored cursor of Dialpad's, and what stands there once all pages are read.
const (
	pagePrefix = "page:"
	allPages   = "unseen"
)

// walk is one reading of a directory.
type walk struct {
	a      *Accounts
	c      models.Connection
	begun  time.Time
	cursor string
	goesOn bool // from another run's cursor, which may not be good any more
	paged  bool
	counts Counts
}

func (w *walk) pages(ctx context.Context) error {
	for seen := map[string]bool{}; !w.paged; {
		asked := w.a.now()
		var page dialpad.UserPage
		err := w.a.ask(ctx, w.c.TenantID, w.a.pages, func(token string) (err error) {
			page, err = w.a.dp.Users(ctx, token, dialpad.UsersQuery{Cursor: w.cursor})
			return err
		})
		if w.goesOn && dialpad.KindOf(err) == dialpad.Refused {
			w.cursor, w.begun, w.goesOn = "", asked, false
			continue
		}
		if err != nil {
			return err
		}
		saved, err := w.a.save(ctx, w.c, asked, accountsOf(w.c, page.Items))
		w.counts.add(saved)
		if err != nil {
			return err
		}
		if seen[page.Cursor] {
			return fmt.Errorf("the directory's pages go round in a circle")
		}
		seen[page.Cursor] = true
		w.cursor, w.paged = page.Cursor, page.Cursor == ""
		stored := pagePrefix + w.cursor
		if w.paged {
			stored = allPages
		}
		if err := w.a.store.Connections.SaveDirectoryCursor(ctx, w.c, w.begun, stored); err != nil {
			return err
		}
	}
	return nil
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

func (w *walk) unseen(ctx context.Context) error {
	for after := ""; ; {
		list, err := w.a.store.Accounts.Unseen(ctx, w.c.TenantID, w.begun, after, perRound)
		if err != nil || len(list) == 0 {
			return err
		}
		read, err := w.a.readEach(ctx, w.c, list)
		w.counts.add(read)
		if err != nil {
			return err
		}
		after = list[len(list)-1].DialpadID
	}
}

// Heard reads the users again that a change-log event named. Ids that are nobody's here may be of users who are new, or
// of other things; so many changes at once that this would take long are left to ReadStale, and it says so.
func (a *Accounts) Heard(ctx context.Context, tenantID string, ids []string) (later bool, err error) {
	c, err := a.store.Connections.Get(ctx, tenantID)
	if err != nil {
		return false, err
	}
	if n, err := a.store.Accounts.CountStale(ctx, tenantID); err != nil || n > heardMost {
		return true, err
	}
	for _, id := range ids[:min(len(ids), heardMost)] {
		_, err := a.Fresh(ctx, tenantID, id, forEver)
		if errors.Is(err, models.ErrNotFound) {
			err = a.meet(ctx, c, id)
		}
		if err != nil {
			return false, err
		}
	}
	return len(ids) > heardMost, nil
}

const (
	heardMost = 20
	forEver   = time.Duration(math.MaxInt64)
)

// meet reads a user that nobody here knows yet; there may be none.
func (a *Accounts) meet(ctx context.Context, c models.Connection, id string) error {
	asked := a.now()
	var u dialpad.User
	err := a.ask(ctx, c.TenantID, a.singles, func(token string) (err error) {
		u, err = a.dp.User(ctx, token, id)
		return err
	})
	switch kind := dialpad.KindOf(err); {
	case isRefusal(err):
		return err
	case kind == dialpad.NotFound, kind == dialpad.Refused, kind == dialpad.Forbidden:
		return nil
	case err != nil:
		return err
	}
	_, err = a.save(ctx, c, asked, accountsOf(c, []dialpad.User{u}))
	return err
}

// ReadStale reads the users again that change-log events named and nobody has read since. Where there are many, the
// whole directory costs less.
func (a *Accounts) ReadStale(ctx context.Context, tenantID string) (Counts, error) {
	c, err := a.store.Connections.Get(ctx, tenantID)
	if err != nil {
		return Counts{}, err
	}
	var counts Counts
	for done := map[string]bool{}; ; {
		list, err := a.store.Accounts.Stale(ctx, tenantID, perRound)
		if err != nil {
			return counts, err
		}
		if len(list) == perRound {
			all, err := a.SyncDirectory(ctx, tenantID)
			counts.add(all)
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
	err := a.ask(ctx, c.TenantID, a.singles, func(token string) (err error) {
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
	known := func(ctx context.Context) (v models.Account, fresh bool, err error) {
		v, err = a.store.Accounts.Get(ctx, tenantID, dialpadID)
		return v, err == nil && !v.Stale && a.now().Sub(v.CheckedAt) <= olderThan, err
	}
	v, fresh, err := known(ctx)
	if err != nil || fresh {
		return v, err
	}
	// A hundred texts of one sender ask once. Whoever asked first may give up without the others' answer being lost.
	answer := a.flight.DoChan(tenantID+"/"+dialpadID, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		v, fresh, err := known(ctx) // whoever came late may have looked before the one ahead had written
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
