package delivery

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// matchWindow is how long after its request an
	// uncertain text can be matched by its numbers alone.
	matchWindow = 10 * time.Minute
	// clockSkew is how far two machines' clocks may differ. An
	// event is about a text that went out before the event came.
	clockSkew = 2 * time.Second
	// publicAPI is the device_type of texts sent through the API.
	publicAPI = "public_api"
)

// Reconciler applies Dialpad's SMS events to messages.
type Reconciler struct{ store *models.Store }

// NewReconciler returns a Reconciler over a store.
func NewReconciler(store *models.Store) *Reconciler {
	return &Reconciler{store: store}
}

// Process applies one stored SMS event and reports whether it is done
// with. If not, process it again soon: a text between the same numbers
// is on the wire, and its answer may bring the id that the event names.
func (r *Reconciler) Process(ctx context.Context, tenantID, eventID string) (done bool, err error) {
	e, err := r.store.Events.Get(ctx, tenantID, eventID)
	if errors.Is(err, models.ErrNotFound) {
		return true, nil // erased meanwhile
	}
	if err != nil || e.State != ledger.EventPending {
		return err == nil, err
	}
	if e.Kind != ledger.EventSMS || e.DialpadID == "" {
		return true, r.closeUnmatched(ctx, e)
	}
	m, err := r.store.Messages.ByDialpadID(ctx, tenantID, e.DialpadID)
	switch {
	case err == nil:
		return true, r.apply(ctx, e, m, "")
	case !errors.Is(err, models.ErrNotFound):
		return false, err
	case !strings.EqualFold(e.Direction, "outbound"):
		return true, r.closeUnmatched(ctx, e) // not ours, and an inbound text matches none of ours by numbers
	}
	return r.matchByNumbers(ctx, e)
}

// matchByNumbers finds the message of an event whose Dialpad id
// we don't know: the only uncertain one between its two numbers.
func (r *Reconciler) matchByNumbers(ctx context.Context, e ledger.WebhookEvent) (done bool, err error) {
	if e.DeviceType != "" && !strings.EqualFold(e.DeviceType, publicAPI) {
		return true, r.closeUnmatched(ctx, e) // sent by hand: never ours
	}
	inFlight, err := r.store.Messages.PairInFlight(ctx, e.TenantID, e.FromNumber, e.ToNumber)
	if err != nil || inFlight {
		return false, err
	}
	// The answer may have come since the first look-up. Now
	// that nothing is on the wire, look the id up again.
	if m, err := r.store.Messages.ByDialpadID(ctx, e.TenantID, e.DialpadID); err == nil {
		return true, r.apply(ctx, e, m, "")
	} else if !errors.Is(err, models.ErrNotFound) {
		return false, err
	}
	candidates, err := r.store.Messages.UncertainOfPair(ctx, e.TenantID, e.FromNumber, e.ToNumber,
		e.ReceivedAt.Add(-matchWindow), e.ReceivedAt.Add(clockSkew))
	if err != nil {
		return false, err
	}
	if len(candidates) != 1 {
		return true, r.closeUnmatched(ctx, e) // of two candidates, neither
	}
	return true, r.apply(ctx, e, candidates[0], "number")
}

func (r *Reconciler) closeUnmatched(ctx context.Context, e ledger.WebhookEvent) error {
	return r.store.Events.Close(ctx, e.TenantID, e.ID, ledger.EventUnmatched, "")
}

// apply moves a message forward, never back. It
// stores Dialpad's raw result beside our sentence.
func (r *Reconciler) apply(ctx context.Context, e ledger.WebhookEvent, m ledger.Message, matchedBy string) error {
	p := ledger.EventEffect{DialpadID: e.DialpadID, MatchedBy: matchedBy}
	switch messageState(e.Status, e.Result) {
	case ledger.Sent:
		p.State, p.From = ledger.Sent, []string{ledger.Uncertain}
	case ledger.Delivered:
		p.State, p.From = ledger.Delivered, []string{ledger.Uncertain, ledger.Sent}
	case ledger.Undelivered:
		p.State, p.From = ledger.Undelivered, []string{ledger.Uncertain, ledger.Sent}
		p.Code, p.Text = cmp.Or(e.Result, e.Status), resultText(e.Result)
	}
	if p.State != "" {
		if _, err := r.store.Messages.ApplyEvent(ctx, e.TenantID, m.ID, p); err != nil {
			return err
		}
	}
	return r.store.Events.Close(ctx, e.TenantID, e.ID, ledger.EventApplied, m.ID)
}
