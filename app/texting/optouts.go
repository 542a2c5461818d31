package texting

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// DialpadOptOuts reads a company's list of those who opted out, and of those who came back.
type DialpadOptOuts interface {
	OptOuts(ctx context.Context, token, companyID, cursor string) (dialpad.OptOutPage, error)
	OptIns(ctx context.Context, token, companyID, cursor string) (dialpad.OptOutPage, error)
}

// CRMOptOuts hears of opt-outs.
type CRMOptOuts interface {
	UpsertOptOut(ctx context.Context, t crm.Tenant, id, number string, optedOut bool, source string) error
}

// Caller runs a call with a tenant's Dialpad token.
type Caller interface {
	Do(ctx context.Context, tenantID string, f func(token string) error) error
}

// OptOuts keeps who must not be texted, from three sides: the CRM's flag and events, Dialpad's list, and a STOP that
// somebody answered. One side is enough; each side lifts only its own.
type OptOuts struct {
	store   *models.Store
	dialpad DialpadOptOuts
	crm     CRMOptOuts
	market  Caller
	log     *slog.Logger
}

// NewOptOuts returns the keeper of opt-outs.
func NewOptOuts(store *models.Store, dp DialpadOptOuts, c CRMOptOuts, m Caller, log *slog.Logger) *OptOuts {
	return &OptOuts{store: store, dialpad: dp, crm: c, market: m, log: log}
}

// OptOutCounts is what reading Dialpad's list changed.
type OptOutCounts struct{ Listed, OptedOut, OptedIn int }

// Read takes Dialpad's opt-out list over, page by page, and tells the CRM what is news.
func (o *OptOuts) Read(ctx context.Context, tenantID string) (n OptOutCounts, err error) {
	c, err := o.store.Connections.Get(ctx, tenantID)
	if err != nil || c.State != models.Connected {
		return n, ignoreNotFound(err)
	}
	begun, out := o.store.Now(), map[string]bool{}
	err = o.pages(ctx, c, o.dialpad.OptOuts, func(numbers []string) error {
		for _, number := range numbers {
			out[number] = true
		}
		n.Listed += len(numbers)
		return o.takeOuts(ctx, tenantID, numbers, &n)
	})
	if err != nil {
		return n, err
	}
	err = o.pages(ctx, c, o.dialpad.OptIns, func(numbers []string) error {
		// Who is in both lists is back for some of the company's numbers only: the strictest wins.
		numbers = slices.DeleteFunc(numbers, func(number string) bool { return out[number] })
		return o.takeIns(ctx, tenantID, numbers, begun, &n)
	})
	if err != nil {
		return n, err
	}
	return n, o.store.Connections.MarkOptOutsRead(ctx, tenantID, c.OptOutsAt)
}

func (o *OptOuts) takeOuts(ctx context.Context, tenantID string, numbers []string, n *OptOutCounts) error {
	known, err := o.store.Suppressions.Numbers(ctx, tenantID, numbers, models.OptOutDialpad)
	if err != nil {
		return err
	}
	for _, number := range numbers {
		if known[number] {
			continue
		}
		news, err := o.optOut(ctx, tenantID, number, models.OptOutDialpad)
		if err != nil {
			return err
		}
		if news {
			n.OptedOut++
		}
	}
	return nil
}

// takeIns also takes back an earlier STOP that we heard ourselves: Dialpad heard it too, and what came after it.
func (o *OptOuts) takeIns(ctx context.Context, tenantID string, numbers []string, at time.Time, n *OptOutCounts) error {
	sources := []string{models.OptOutDialpad, models.OptOutReply}
	known, err := o.store.Suppressions.Numbers(ctx, tenantID, numbers, sources...)
	if err != nil {
		return err
	}
	for number := range known {
		news, err := o.optIn(ctx, tenantID, number, at, sources...)
		if err != nil {
			return err
		}
		if news {
			n.OptedIn++
		}
	}
	return nil
}

type readList func(ctx context.Context, token, companyID, cursor string) (dialpad.OptOutPage, error)

// pages calls f with the numbers of each page of a list that we could text at all.
func (o *OptOuts) pages(ctx context.Context, c models.Connection, read readList, f func(numbers []string) error) error {
	been := map[string]bool{}
	for cursor := ""; ; {
		var page dialpad.OptOutPage
		err := o.market.Do(ctx, c.TenantID, func(token string) (err error) {
			page, err = read(ctx, token, c.CompanyID, cursor)
			return err
		})
		if err != nil {
			return err
		}
		var numbers []string
		for _, item := range page.Items {
			if number, err := compose.E164(item.Number, ""); err == nil {
				numbers = append(numbers, number)
			}
		}
		if err := f(numbers); err != nil {
			return err
		}
		if cursor = page.Cursor; cursor == "" || been[cursor] { // a circle holds nobody new
			return nil
		}
		been[cursor] = true
	}
}

// optOutsFresh is how old the list may be when a bulk is prepared.
const optOutsFresh = 5 * time.Minute

// Fresh reads the list again unless that was done just now.
func (o *OptOuts) Fresh(ctx context.Context, tenantID string) error {
	c, err := o.store.Connections.Get(ctx, tenantID)
	if err != nil || c.OptOutsAt != nil && o.store.Now().Sub(*c.OptOutsAt) < optOutsFresh {
		return ignoreNotFound(err)
	}
	_, err = o.Read(ctx, tenantID)
	return err
}

// Heard applies an inbound text that said STOP or START.
func (o *OptOuts) Heard(ctx context.Context, e ledger.WebhookEvent) error {
	if number, err := compose.E164(e.FromNumber, ""); err == nil {
		if e.OptWord == "stop" {
			_, err = o.optOut(ctx, e.TenantID, number, models.OptOutReply)
		} else {
			_, err = o.optIn(ctx, e.TenantID, number, e.ReceivedAt, models.OptOutReply) // a STOP heard since then stands
		}
		if err != nil {
			return err
		}
	}
	return o.store.Events.Close(ctx, e.TenantID, e.ID, ledger.EventApplied, "")
}

func (o *OptOuts) optOut(ctx context.Context, tenantID, number, source string) (news bool, err error) {
	return o.change(ctx, tenantID, number, source, func(tx *models.Store) (bool, error) {
		return tx.Suppressions.Add(ctx, tenantID, number, source, "")
	})
}

// optIn lifts what was known at a moment.
func (o *OptOuts) optIn(ctx context.Context, tenantID, number string, at time.Time, sources ...string) (news bool, err error) {
	return o.change(ctx, tenantID, number, sources[0], func(tx *models.Store) (bool, error) {
		return tx.Suppressions.RemoveUntil(ctx, tenantID, number, at, sources...)
	})
}

// change makes a change and queues telling the CRM when it makes a difference: not when a second side says the same,
// and not while another side still stands.
func (o *OptOuts) change(ctx context.Context, tenantID, number, source string, how func(*models.Store) (bool, error)) (news bool, err error) {
	err = o.store.Tx(ctx, func(tx *models.Store) error {
		before, err := tx.Suppressions.Contains(ctx, tenantID, number)
		if err != nil {
			return err
		}
		if changed, err := how(tx); err != nil || !changed {
			return err
		}
		after, err := tx.Suppressions.Contains(ctx, tenantID, number)
		if news = before != after; err != nil || !news {
			return err
		}
		key, err := tx.Tenants.NumberKey(ctx, tenantID, number)
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.SyncOptOut{TenantID: tenantID, NumberKey: key, Number: tx.Suppressions.SealNumber(tenantID, number), OptedOut: after, Source: source,
			Since: tx.Now().UnixNano()})
	})
	return news && err == nil, err
}
