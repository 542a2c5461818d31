// Package optout keeps who must not be texted. Three sides may say so:
// the CRM (its flag and events), Dialpad's list, and a person who
// answers STOP. One side is enough to stop texts; each side lifts only
// its own opt-out.
//
// An opt-out also stops the rest of a running bulk: delivery checks the
// number again right before each request to Dialpad.
package optout

import (
	"context"
	"log/slog"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// Why no text goes to somebody who opted out; contract section 5.
const (
	Message           = "Unsubscribed from Text"
	AutomationMessage = "Text Unsubscribed" // as an automation reports it
)

// Dialpad reads a company's opt-out list, and who opted in again.
type Dialpad interface {
	OptOuts(ctx context.Context, token, companyID, cursor string) (dialpad.OptOutPage, error)
	OptIns(ctx context.Context, token, companyID, cursor string) (dialpad.OptOutPage, error)
}

// CRM stores opt-outs.
type CRM interface {
	UpsertOptOut(ctx context.Context, t crm.Tenant, id, number string, optedOut bool, source string) error
}

// Tokens runs a call with a tenant's Dialpad token.
type Tokens interface {
	Do(ctx context.Context, tenantID string, f func(token string) error) error
}

// OptOuts applies opt-outs and opt-ins. Safe for concurrent use.
type OptOuts struct {
	store   *models.Store
	dialpad Dialpad
	crm     CRM
	tokens  Tokens
	log     *slog.Logger
}

// New returns an OptOuts.
func New(store *models.Store, dp Dialpad, c CRM, tokens Tokens, log *slog.Logger) *OptOuts {
	return &OptOuts{store: store, dialpad: dp, crm: c, tokens: tokens, log: log}
}

// ApplyReply applies an inbound text that said STOP or START.
func (o *OptOuts) ApplyReply(ctx context.Context, e ledger.WebhookEvent) error {
	if number, err := compose.Identify(e.FromNumber, ""); err == nil {
		if e.OptWord == WordStop {
			_, err = o.optOut(ctx, e.TenantID, number, models.OptOutReply)
		} else {
			// A STOP that arrived after this START stays.
			_, err = o.optIn(ctx, e.TenantID, number, e.ReceivedAt, models.OptOutReply)
		}
		if err != nil {
			return err
		}
	}
	return o.store.Events.Close(ctx, e.TenantID, e.ID, ledger.EventApplied, "")
}

// maxListAge is how old Dialpad's list may be when a bulk is prepared.
const maxListAge = 5 * time.Minute

// Refresh reads Dialpad's list again if it is older than maxListAge.
func (o *OptOuts) Refresh(ctx context.Context, tenantID string) error {
	c, err := o.store.Connections.Get(ctx, tenantID)
	if err != nil || c.OptOutsAt != nil && o.store.Now().Sub(*c.OptOutsAt) < maxListAge {
		return apierror.IgnoreNotFound(err)
	}
	_, err = o.ReadList(ctx, tenantID)
	return err
}

func (o *OptOuts) optOut(ctx context.Context, tenantID, number, source string) (changed bool, err error) {
	return o.change(ctx, tenantID, number, source, func(tx *models.Store) (bool, error) {
		return tx.Suppressions.Add(ctx, tenantID, number, source, "")
	})
}

// optIn lifts the opt-outs that were known at a moment.
func (o *OptOuts) optIn(ctx context.Context, tenantID, number string, at time.Time, sources ...string) (changed bool, err error) {
	return o.change(ctx, tenantID, number, sources[0], func(tx *models.Store) (bool, error) {
		return tx.Suppressions.RemoveUntil(ctx, tenantID, number, at, sources...)
	})
}

// change runs a change and, when the number's state is another
// afterwards, queues the sync to the CRM. Nothing changes when a second
// side says the same, or while another side's opt-out stays.
func (o *OptOuts) change(ctx context.Context, tenantID, number, source string,
	apply func(*models.Store) (bool, error)) (changed bool, err error) {
	err = o.store.Tx(ctx, func(tx *models.Store) error {
		before, err := tx.Suppressions.Contains(ctx, tenantID, number)
		if err != nil {
			return err
		}
		if written, err := apply(tx); err != nil || !written {
			return err
		}
		after, err := tx.Suppressions.Contains(ctx, tenantID, number)
		if changed = before != after; err != nil || !changed {
			return err
		}
		key, err := tx.Tenants.NumberKey(ctx, tenantID, number)
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.SyncOptOut{TenantID: tenantID, NumberKey: key, Number: tx.Suppressions.SealNumber(tenantID, number),
			OptedOut: after, Source: source, Since: tx.Now().UnixNano()})
	})
	return changed && err == nil, err
}
