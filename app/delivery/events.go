package delivery

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// matchWindow is how long after its request an uncertain text may be matched by its numbers alone.
	matchWindow = 10 * time.Minute
	// skew is how far two machines' clocks may be apart: an event is about a text that went out before it.
	skew      = 2 * time.Second
	publicAPI = "public_api"
)

// Reconciler applies what Dialpad tells about texts.
type Reconciler struct {
	store *models.Store
	log   *slog.Logger
}

// NewReconciler returns a reconciler over a store.
func NewReconciler(store *models.Store, log *slog.Logger) *Reconciler {
	return &Reconciler{store: store, log: log}
}

// Process applies one stored SMS event and tells whether it is done with; else it must be looked at again soon:
// a text between the same numbers is on the wire, and its answer may bring the id that the event names.
func (r *Reconciler) Process(ctx context.Context, tenantID, eventID string) (done bool, err error) {
	e, err := r.store.Events.Get(ctx, tenantID, eventID)
	if errors.Is(err, models.ErrNotFound) {
		return true, nil // erased meanwhile
	}
	if err != nil || e.State != ledger.EventPending {
		return err == nil, err
	}
	if e.Kind != ledger.EventSMS || !strings.EqualFold(e.Direction, "outbound") || e.DialpadID == "" {
		return true, r.store.Events.Close(ctx, tenantID, e.ID, ledger.EventUnmatched, "")
	}
	m, err := r.store.Messages.ByDialpadID(ctx, tenantID, e.DialpadID)
	switch {
	case err == nil:
		return true, r.apply(ctx, e, m, "")
	case !errors.Is(err, models.ErrNotFound):
		return false, err
	}
	return r.match(ctx, e)
}

// match settles the only uncertain text of a pair of numbers by an event whose id we don't know.
func (r *Reconciler) match(ctx context.Context, e ledger.WebhookEvent) (bool, error) {
	unmatched := func() (bool, error) {
		return true, r.store.Events.Close(ctx, e.TenantID, e.ID, ledger.EventUnmatched, "")
	}
	if e.DeviceType != "" && !strings.EqualFold(e.DeviceType, publicAPI) {
		return unmatched() // sent by hand or by another device: never ours
	}
	flying, err := r.store.Messages.PairInFlight(ctx, e.TenantID, e.FromNumber, e.ToNumber)
	if err != nil || flying {
		return false, err
	}
	// The answer may have come while we looked: the id is asked for again once nothing is on the wire.
	if m, err := r.store.Messages.ByDialpadID(ctx, e.TenantID, e.DialpadID); err == nil {
		return true, r.apply(ctx, e, m, "")
	} else if !errors.Is(err, models.ErrNotFound) {
		return false, err
	}
	candidates, err := r.store.Messages.UncertainOfPair(ctx, e.TenantID, e.FromNumber, e.ToNumber, e.ReceivedAt.Add(-matchWindow), e.ReceivedAt.Add(skew))
	if err != nil {
		return false, err
	}
	if len(candidates) != 1 {
		return unmatched() // two candidates: neither
	}
	return true, r.apply(ctx, e, candidates[0], "number")
}

// apply moves a message forward by an event. Raw values stay beside the sentence.
func (r *Reconciler) apply(ctx context.Context, e ledger.WebhookEvent, m ledger.Message, matchedBy string) error {
	p := ledger.EventEffect{DialpadID: e.DialpadID, MatchedBy: matchedBy}
	switch status(e.Status, e.Result) {
	case ledger.Sent:
		p.State, p.From = ledger.Sent, []string{ledger.Uncertain}
	case ledger.Delivered:
		p.State, p.From = ledger.Delivered, []string{ledger.Uncertain, ledger.Sent}
	case ledger.Undelivered:
		p.State, p.From = ledger.Undelivered, []string{ledger.Uncertain, ledger.Sent}
		p.Code, p.Text = firstOf(e.Result, e.Status), resultWords(e.Result)
	}
	if p.State != "" {
		if _, err := r.store.Messages.ApplyEvent(ctx, e.TenantID, m.ID, p); err != nil {
			return err
		}
	}
	return r.store.Events.Close(ctx, e.TenantID, e.ID, ledger.EventApplied, m.ID)
}

// status reads Dialpad's open enums: message_status of REST answers and of events differ (dialpad-api.md, 3).
func status(status, result string) string {
	switch strings.ToLower(result) {
	case "internal_error", "invalid_destination", "invalid_source", "no_route", "not_supported", "rejected", "rejected_spam", "time_out":
		return ledger.Undelivered
	}
	switch strings.ToLower(status) {
	case "pending", "sent", "accepted", "queued":
		return ledger.Sent
	case "success", "delivered":
		return ledger.Delivered
	case "failed", "undelivered":
		return ledger.Undelivered
	}
	return "" // a word we don't know says nothing
}

// resultWords is one plain sentence for each message_delivery_result.
func resultWords(result string) string {
	switch strings.ToLower(result) {
	case "invalid_destination":
		return "This number can't receive texts: it may be a landline or not exist"
	case "invalid_source":
		return "The sender's Dialpad number can't send texts"
	case "no_route":
		return "No carrier takes texts to this number"
	case "not_supported":
		return "Texts to this kind of number or country are not supported"
	case "rejected":
		return "The carrier refused this text; the person may have opted out"
	case "rejected_spam":
		return "The carrier took this text for spam"
	case "time_out":
		return "The carrier did not answer in time; the text was not delivered"
	case "internal_error":
		return "Dialpad could not deliver this text"
	}
	return "Dialpad reported that this text was not delivered"
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
