// Package optout keeps who must not be texted. Four sides may say so:
// the CRM (its flag and events), Dialpad's list, a person who answers
// STOP, and somebody of the tenant who was told so. One side is enough
// to stop texts. The CRM and Dialpad lift their own opt-outs; a START,
// or consent that somebody records, lifts what was said before it. The
// order is that of the moments of writing, not of arrival.
//
// A text that may mean an opt-out opens a review: bulks and automations
// to the number wait until somebody decides.
//
// An opt-out also stops the rest of a running bulk: delivery checks the
// number again right before each request to Dialpad.
package optout

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"dialpad-texting/app/apierror"
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
	numbers numberReader
}

// New returns an OptOuts.
func New(store *models.Store, dp Dialpad, c CRM, tokens Tokens, log *slog.Logger) *OptOuts {
	return &OptOuts{store: store, dialpad: dp, crm: c, tokens: tokens, log: log, numbers: newNumberReader()}
}

// in returns OptOuts that work inside a transaction.
func (o *OptOuts) in(tx *models.Store) *OptOuts {
	copied := *o
	copied.store = tx
	return &copied
}

// ApplyReply applies a stored inbound text that is pending still.
func (o *OptOuts) ApplyReply(ctx context.Context, e ledger.WebhookEvent) error {
	if e.State != ledger.EventPending {
		return nil
	}
	return o.store.Tx(ctx, func(tx *models.Store) error {
		if err := o.in(tx).applyWord(ctx, e, PossibleNumbers(e.FromNumber, ""), ""); err != nil {
			return err
		}
		return tx.Events.Close(ctx, e, ledger.EventApplied, "")
	})
}

// applyWord applies what an inbound text says. Of a number that can be
// read in two ways, a STOP counts for both and a START for neither.
func (o *OptOuts) applyWord(ctx context.Context, e ledger.WebhookEvent, numbers []string, text string) error {
	if len(numbers) == 0 {
		o.log.Warn("opt-out word from a number that can't be read", "tenant", e.TenantID, "event", e.ID, "word", e.OptWord)
	}
	for i, number := range numbers {
		said := models.Said{ID: fmt.Sprintf("%s-%d", e.ID, i), Number: number, Source: models.OptOutReply, At: saidAt(e)}
		var err error
		switch {
		case e.OptWord == WordStop:
			err = o.stop(ctx, e.TenantID, said)
		case e.OptWord == WordMaybe:
			said.Note = text
			err = o.openReview(ctx, e.TenantID, said)
		case len(numbers) == 1 && e.EventAt != nil: // without a time it may be older than a STOP
			_, err = o.optIn(ctx, e.TenantID, said, models.OptOutReply, models.OptOutPerson)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stop records an opt-out that a person wrote, and counts it on the text
// before it.
func (o *OptOuts) stop(ctx context.Context, tenantID string, said models.Said) error {
	changed, err := o.OptOut(ctx, tenantID, said)
	if err != nil || !changed {
		return err
	}
	keys, err := o.store.Tenants.NumberKeys(ctx, tenantID, said.Number)
	if err != nil {
		return err
	}
	return o.store.Figures.CountOptOut(ctx, tenantID, keys)
}

// saidAt returns when a text was written: by the event's own time, or
// when it came. No text was written after it came.
func saidAt(e ledger.WebhookEvent) time.Time {
	if e.EventAt == nil || e.EventAt.After(e.ReceivedAt) {
		return e.ReceivedAt
	}
	return *e.EventAt
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

// OptOut records an opt-out, and ends the number's review.
func (o *OptOuts) OptOut(ctx context.Context, tenantID string, said models.Said) (changed bool, err error) {
	return o.change(ctx, tenantID, said, func(tx *models.Store) error {
		if _, err := tx.Suppressions.OptOut(ctx, tenantID, said); err != nil {
			return err
		}
		out, err := tx.Suppressions.Contains(ctx, tenantID, said.Number)
		if err != nil || !out {
			return err
		}
		_, err = tx.Suppressions.CloseReview(ctx, tenantID, said.Number, tx.Now())
		return err
	})
}

// optIn records an opt-in, lifts the sources' older opt-outs, and ends
// the review of an older text.
func (o *OptOuts) optIn(ctx context.Context, tenantID string, said models.Said, sources ...string) (changed bool, err error) {
	return o.change(ctx, tenantID, said, func(tx *models.Store) error {
		if _, err := tx.Suppressions.OptIn(ctx, tenantID, said, sources...); err != nil {
			return err
		}
		_, err := tx.Suppressions.CloseReview(ctx, tenantID, said.Number, said.At)
		return err
	})
}

// openReview asks a person about a text that may mean an opt-out. It
// changes nothing if the number is opted out already, or opted in since.
func (o *OptOuts) openReview(ctx context.Context, tenantID string, said models.Said) error {
	out, err := o.store.Suppressions.Contains(ctx, tenantID, said.Number)
	if err != nil || out {
		return err
	}
	newest, err := o.store.Suppressions.NewestOptIn(ctx, tenantID, said.Number)
	if err != nil || newest.After(said.At) {
		return err
	}
	said.Note = excerpt(said.Note)
	return o.store.Suppressions.AddReview(ctx, tenantID, said)
}

// maxExcerpt is how much of a text is kept for whoever decides.
const maxExcerpt = 300

func excerpt(text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", ""))
	if runes := []rune(text); len(runes) > maxExcerpt {
		return string(runes[:maxExcerpt]) + "\u2026"
	}
	return text
}

// change runs a change and, when the number's state is another
// afterwards, queues the sync to the CRM. Nothing is queued when a
// second side says the same, or while another side's opt-out stays.
func (o *OptOuts) change(ctx context.Context, tenantID string, said models.Said, apply func(*models.Store) error) (changed bool, err error) {
	err = o.store.Tx(ctx, func(tx *models.Store) error {
		before, err := tx.Suppressions.Contains(ctx, tenantID, said.Number)
		if err != nil {
			return err
		}
		if err := apply(tx); err != nil {
			return err
		}
		after, err := tx.Suppressions.Contains(ctx, tenantID, said.Number)
		if changed = before != after; err != nil || !changed {
			return err
		}
		_, err = enqueueSync(ctx, tx, tenantID, said, after)
		return err
	})
	return changed && err == nil, err
}

func enqueueSync(ctx context.Context, tx *models.Store, tenantID string, said models.Said, out bool) (job queue.SyncOptOut, err error) {
	key, err := tx.Tenants.NumberKey(ctx, tenantID, said.Number)
	if err != nil {
		return job, err
	}
	job = queue.SyncOptOut{TenantID: tenantID, NumberKey: key, Number: tx.Suppressions.SealNumber(tenantID, said.Number),
		OptedOut: out, Source: said.Source, Since: tx.Now().UnixNano()}
	return job, tx.Enqueue(ctx, job)
}
