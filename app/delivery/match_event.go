package delivery

import (
	"context"
	"errors"
	"strings"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// matchWindow is how long after its request an uncertain text can
	// be matched by its numbers alone.
	matchWindow = 10 * time.Minute
	// clockSkew is how far two machines' clocks may differ. An event
	// is about a text that went out before the event came.
	clockSkew = 2 * time.Second
	// eventRetry is when a round tries an event again that belongs to
	// no text yet.
	eventRetry = time.Second
	// publicAPI is the device_type of texts sent through the API.
	publicAPI = "public_api"
)

// Reconciler applies Dialpad's SMS events to messages.
type Reconciler struct{ store *models.Store }

// NewReconciler returns a Reconciler over a store.
func NewReconciler(store *models.Store) *Reconciler {
	return &Reconciler{store: store}
}

// Round applies up to n pending delivery events together, and returns
// how many it tried. What belongs to no known text is matched one by
// one.
func (r *Reconciler) Round(ctx context.Context, n int) (tried int, err error) {
	round, err := r.store.Events.ApplyPendingAllTenants(ctx, n, eventRetry, effectOf)
	if err != nil {
		return 0, err
	}
	if len(round.Changed) > 0 {
		err = r.store.FollowUp(ctx, round.Changed)
	}
	for _, e := range round.Unmatched {
		// An event that fails is tried again by a later round.
		err = errors.Join(err, r.processIncoming(ctx, e))
	}
	return round.Events, err
}

// processIncoming applies a delivery event that no round could match. What is
// not done with is left for a later round.
func (r *Reconciler) processIncoming(ctx context.Context, e ledger.WebhookEvent) error {
	_, err := r.store.Events.Get(ctx, e.TenantID, e.ID)
	if err == nil { // it came before, and is done with
		return r.store.Events.CloseIncoming(ctx, e, ledger.EventUnmatched, "")
	}
	if !errors.Is(err, models.ErrNotFound) {
		return err
	}
	_, err = r.process(ctx, e, r.store.Events.CloseIncoming)
	return err
}

// closeEvent stores the final state of an event and the message it belongs
// to, "" for none.
type closeEvent func(ctx context.Context, e ledger.WebhookEvent, state, messageID string) error

// Process applies one stored SMS event and reports whether it is done
// with. If not, process it again soon: a text between the same
// numbers is on the wire, and its answer may bring the id that the
// event names.
func (r *Reconciler) Process(ctx context.Context, tenantID, eventID string) (done bool, err error) {
	e, err := r.store.Events.Get(ctx, tenantID, eventID)
	if errors.Is(err, models.ErrNotFound) {
		return true, nil // erased meanwhile
	}
	if err != nil || e.State != ledger.EventPending {
		return err == nil, err
	}
	return r.process(ctx, e, r.store.Events.Close)
}

func (r *Reconciler) process(ctx context.Context, e ledger.WebhookEvent, end closeEvent) (done bool, err error) {
	if e.Kind != ledger.EventSMS || e.DialpadID == "" {
		return true, end(ctx, e, ledger.EventUnmatched, "")
	}
	m, err := r.store.Messages.ByDialpadID(ctx, e.TenantID, e.DialpadID)
	switch {
	case err == nil:
		return true, r.apply(ctx, e, m, "", end)
	case !errors.Is(err, models.ErrNotFound):
		return false, err
	case !strings.EqualFold(e.Direction, "outbound"):
		return true, end(ctx, e, ledger.EventUnmatched, "") // not ours, and an inbound text matches none of ours by numbers
	}
	return r.matchByNumbers(ctx, e, end)
}

// matchByNumbers finds the message of an event whose Dialpad id we
// don't know: the only uncertain one between its two numbers.
func (r *Reconciler) matchByNumbers(ctx context.Context, e ledger.WebhookEvent, end closeEvent) (done bool, err error) {
	if e.DeviceType != "" && !strings.EqualFold(e.DeviceType, publicAPI) {
		return true, end(ctx, e, ledger.EventUnmatched, "") // sent by hand: never ours
	}
	inFlight, err := r.store.Messages.PairInFlight(ctx, e.TenantID, e.FromNumber, e.ToNumber)
	if err != nil || inFlight {
		return false, err
	}
	// The answer may have come since the first look-up. Now that
	// nothing is on the wire, look the id up again.
	if m, err := r.store.Messages.ByDialpadID(ctx, e.TenantID, e.DialpadID); err == nil {
		return true, r.apply(ctx, e, m, "", end)
	} else if !errors.Is(err, models.ErrNotFound) {
		return false, err
	}
	candidates, err := r.store.Messages.UncertainOfPair(ctx, e.TenantID, e.FromNumber, e.ToNumber,
		e.ReceivedAt.Add(-matchWindow), e.ReceivedAt.Add(clockSkew))
	if err != nil {
		return false, err
	}
	if len(candidates) != 1 {
		return true, end(ctx, e, ledger.EventUnmatched, "") // of two candidates, neither
	}
	return true, r.apply(ctx, e, candidates[0], "number", end)
}

// apply moves a message forward, never back.
func (r *Reconciler) apply(ctx context.Context, e ledger.WebhookEvent, m ledger.Message, matchedBy string, end closeEvent) error {
	p := effectOf(e)
	p.DialpadID, p.MatchedBy = e.DialpadID, matchedBy
	if p.State != "" {
		if _, err := r.store.Messages.ApplyEvent(ctx, e.TenantID, m.ID, p); err != nil {
			return err
		}
	}
	return end(ctx, e, ledger.EventApplied, m.ID)
}

// effectOf returns what an event changes in its message. Dialpad's
// raw result is kept beside our sentence.
func effectOf(e ledger.WebhookEvent) ledger.EventEffect {
	switch state := messageState(e.Status, e.Result); state {
	case ledger.Sent:
		return ledger.EventEffect{State: state, From: []string{ledger.Uncertain}}
	case ledger.Delivered:
		return ledger.EventEffect{State: state, From: []string{ledger.Uncertain, ledger.Sent}}
	case ledger.Undelivered:
		return ledger.EventEffect{State: state, From: []string{ledger.Uncertain, ledger.Sent},
			Code: resultCode(e.Status, e.Result), Text: resultText(e.Result)}
	}
	return ledger.EventEffect{}
}
