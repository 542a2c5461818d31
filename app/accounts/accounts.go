// Package accounts keeps what is known of a tenant's Dialpad people: by e-mail, their state and their numbers.
//
// Dialpad has no event for a deactivated user, so the directory is read again and again: whole on connect and hourly,
// one by one after a change-log event, and before a text when the last answer is old.
package accounts

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"dialpad-texting/app/market"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

const (
	// A company's 20 requests a second are shared with its texts and its other tools. Whole directories are spread out;
	// single users, for which somebody or a text waits, do not stand behind them.
	singlesPerSecond = 8
	pagesPerSecond   = 4
	tries            = 4 // of a reading that met a limit or an outage
	longestRest      = 30 * time.Second
	perPage          = 50
)

// CRM lists the tenant's CRM users; crm.Client does.
type CRM interface {
	Users(ctx context.Context, t crm.Tenant, cursor string) (crm.UserPage, error)
}

// Accounts reads for all tenants. Safe for concurrent use.
type Accounts struct {
	store  *models.Store
	dp     *dialpad.Client
	market *market.Market
	crm    CRM
	now    func() time.Time
	log    *slog.Logger
	flight singleflight.Group
	rest   func(ctx context.Context, d time.Duration) error

	singles, pages *paces
}

// New makes Accounts. now nil is the store's clock, log nil is none.
func New(store *models.Store, dp *dialpad.Client, m *market.Market, c CRM, now func() time.Time, log *slog.Logger) *Accounts {
	if now == nil {
		now = store.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Accounts{store: store, dp: dp, market: m, crm: c, now: now, log: log, rest: rest,
		singles: newPaces(singlesPerSecond, singlesPerSecond), pages: newPaces(pagesPerSecond, 1)}
}

// Counts is what one round read.
type Counts struct {
	Read    int // users that an answer named
	Changed int // state or number is another than before
	Gone    int // not found any more
}

func (c *Counts) add(o Counts) {
	c.Read += o.Read
	c.Changed += o.Changed
	c.Gone += o.Gone
}

// ask runs f with the tenant's token, within a pace, and again after a limit or an outage. What stays an outage is
// *market.Refusal dialpad_unreachable.
func (a *Accounts) ask(ctx context.Context, tenantID string, p *paces, f func(token string) error) error {
	for try := 1; ; try++ {
		err := a.market.Do(ctx, tenantID, func(token string) error {
			if err := p.of(tenantID).Wait(ctx); err != nil {
				<-ctx.Done() // a limiter says at once that the time left is too short; whoever works in parts waits for its end
				return ctx.Err()
			}
			return f(token)
		})
		if !market.Outage(err) || isRefusal(err) {
			return err
		}
		if try == tries {
			return market.Unreachable(err)
		}
		if err := a.rest(ctx, restAfter(err, try)); err != nil {
			return err
		}
	}
}

func isRefusal(err error) bool {
	var r *market.Refusal
	return errors.As(err, &r)
}

func restAfter(err error, try int) time.Duration {
	var e *dialpad.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		return min(e.RetryAfter, longestRest)
	}
	return time.Second << (try - 1)
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// paces are limiters by tenant, in this process.
type paces struct {
	perSecond rate.Limit
	burst     int

	mu sync.Mutex
	by map[string]*rate.Limiter
}

func newPaces(perSecond rate.Limit, burst int) *paces {
	return &paces{perSecond: perSecond, burst: burst, by: map[string]*rate.Limiter{}}
}

func (p *paces) of(tenantID string) *rate.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.by[tenantID]
	if l == nil {
		l = rate.NewLimiter(p.perSecond, p.burst)
		p.by[tenantID] = l
	}
	return l
}

// accountOf is a Dialpad user as we keep it.
func accountOf(u dialpad.User) models.Account {
	return models.Account{DialpadID: u.ID, Name: u.DisplayName, Emails: u.Emails, Number: u.Number(), State: u.State, TimeZone: u.TimeZone}
}

// save stores accounts as they were asked for at a time, if the tenant still is at that company, with an audit entry
// for each change.
func (a *Accounts) save(ctx context.Context, c models.Connection, asked time.Time, list []models.Account) (Counts, error) {
	counts := Counts{Read: len(list)}
	err := a.store.Tx(ctx, func(tx *models.Store) error {
		now, err := tx.Connections.Get(ctx, c.TenantID)
		if err != nil {
			return err
		}
		if now.CompanyID != c.CompanyID || now.State == models.Disconnected {
			return models.ErrLost
		}
		changes, err := tx.Accounts.Save(ctx, c.TenantID, asked, list)
		if err != nil {
			return err
		}
		counts.Changed = len(changes)
		for _, change := range changes {
			if err := tx.Audits.Add(ctx, c.TenantID, "", "account.changed", words(change)); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, err
}

// words tells a change without e-mail or number.
func words(c models.AccountChange) map[string]string {
	d := map[string]string{"dialpad_id": c.After.DialpadID}
	if c.Before.State != c.After.State {
		d["state_before"], d["state"] = c.Before.State, c.After.State
	}
	switch {
	case c.Before.Number == c.After.Number:
	case c.After.Number == "":
		d["number"] = "removed"
	case c.Before.Number == "":
		d["number"] = "added"
	default:
		d["number"] = "changed"
	}
	return d
}
