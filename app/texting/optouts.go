package texting

import (
	"context"
	"errors"
	"log/slog"

	"github.com/riverqueue/river"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// DialpadOptOuts reads a company's opt-out list.
type DialpadOptOuts interface {
	OptOuts(ctx context.Context, token, companyID, cursor string) (dialpad.OptOutPage, error)
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
	c, err := o.store.Connection(ctx, tenantID)
	if err != nil || c.State != models.Connected {
		return n, ignoreNotFound(err)
	}
	for cursor := ""; ; {
		var page dialpad.OptOutPage
		err := o.market.Do(ctx, tenantID, func(token string) (err error) {
			page, err = o.dialpad.OptOuts(ctx, token, c.CompanyID, cursor)
			return err
		})
		if err != nil {
			return n, err
		}
		for _, item := range page.Items {
			if err := o.take(ctx, tenantID, item, &n); err != nil {
				return n, err
			}
		}
		if cursor = page.Cursor; cursor == "" {
			return n, o.store.Touch(ctx, tenantID, models.OptOutsRead)
		}
	}
}

// take applies one entry. Who opted back in at Dialpad also takes back an earlier STOP, which Dialpad heard too.
func (o *OptOuts) take(ctx context.Context, tenantID string, item dialpad.OptOut, n *OptOutCounts) error {
	n.Listed++
	number, err := compose.E164(item.Number, "")
	if err != nil {
		return nil // not a number we could ever text
	}
	if item.State == "opted_out" {
		news, err := o.change(ctx, tenantID, number, true, models.OptOutDialpad)
		if news {
			n.OptedOut++
		}
		return err
	}
	news, err := o.change(ctx, tenantID, number, false, models.OptOutDialpad, models.OptOutReply)
	if news {
		n.OptedIn++
	}
	return err
}

// Heard applies an inbound text that said STOP or START.
func (o *OptOuts) Heard(ctx context.Context, e models.WebhookEvent) error {
	number, err := compose.E164(e.FromNumber, "")
	if err == nil {
		_, err = o.change(ctx, e.TenantID, number, e.OptWord == "stop", models.OptOutReply)
		if err != nil {
			return err
		}
	}
	return o.store.CloseEvent(ctx, e.TenantID, e.ID, models.EventApplied, "")
}

// change stores an opt-out or lifts one, and queues telling the CRM when it is news.
func (o *OptOuts) change(ctx context.Context, tenantID, number string, out bool, sources ...string) (news bool, err error) {
	err = o.store.Tx(ctx, func(tx *models.Store) error {
		if out {
			news, err = tx.Suppress(ctx, tenantID, number, sources[0], "")
		} else {
			news, err = tx.Unsuppress(ctx, tenantID, number, sources...)
		}
		if err != nil || !news {
			return err
		}
		key, err := tx.NumberKey(ctx, tenantID, number)
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, models.TellOptOut{TenantID: tenantID, NumberKey: key, Number: tx.SealNumber(tenantID, number), OptedOut: out, Source: sources[0]})
	})
	return news, err
}

// Tell tells the CRM of one change, unless it was undone meanwhile.
func (o *OptOuts) Tell(ctx context.Context, job models.TellOptOut) error {
	number, err := o.store.OpenNumber(job.TenantID, job.Number)
	if err != nil {
		return river.JobCancel(err)
	}
	t, err := o.store.Tenant(ctx, job.TenantID)
	if err != nil {
		return err
	}
	out, err := o.store.IsSuppressed(ctx, job.TenantID, number)
	if err != nil || out != job.OptedOut {
		return err
	}
	err = o.crm.UpsertOptOut(ctx, crmTenant(t), "opt_"+job.NumberKey+"_"+models.NewID(), number, job.OptedOut, job.Source)
	var e *crm.Error
	if errors.As(err, &e) && e.Kind == crm.Refused {
		o.log.Warn("the CRM refused an opt-out", "tenant", job.TenantID, "err", err)
		return nil
	}
	return err
}
