package handlers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/optout"
	"dialpad-texting/app/replies"
	"dialpad-texting/app/webhook"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/internal/intake"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// storeTimeout is below Dialpad's own timeout of 5 s: Dialpad repeats
// an event that is answered 5xx in time.
const storeTimeout = 4 * time.Second

// suspectLookups is how many addresses of webhooks are looked up at one time
// for clients that failed too often.
const suspectLookups = 2

// dialpadEvents stores Dialpad's webhook events for the worker.
type dialpadEvents struct {
	receiver *webhook.Receiver
	optOuts  *optout.OptOuts
	replies  *replies.Replies
	failures *intake.Failures
	lookups  chan struct{} // of suspects
}

func newDialpadEvents(d Deps, f *intake.Failures) *dialpadEvents {
	return &dialpadEvents{d.Webhook, d.OptOuts, d.Replies, f, make(chan struct{}, suspectLookups)}
}

// post stores an event. Only a forged one is answered 4xx, since Dialpad
// never repeats those, not even after 429:
// developers.dialpad.com/docs/webhook-delivery-failures
//
// All events come from a few addresses, so none is refused for its address:
// one that failed too often waits for its turn, if its webhook is not known.
func (h *dialpadEvents) post(c *gin.Context) error {
	ctx, cancel := context.WithTimeout(c.Request.Context(), storeTimeout)
	defer cancel()
	address, _ := client(c)
	hook, err := h.hook(ctx, c.Param("path"), address)
	if err != nil {
		return h.refused(address, err)
	}
	c.Set(keyTenant, hook.TenantID)
	body, err := readBody(c)
	if errors.Is(err, errSlow) {
		err = errBusy // Dialpad may repeat it
	}
	if err != nil {
		return err
	}
	event, err := hook.Verify(body)
	if err != nil {
		return h.refused(address, err)
	}
	bodyOf(c).Release()
	e := eventRecord(hook.TenantID, event, body)
	if event.SMS != nil {
		err = h.receiveSMS(ctx, *event.SMS, e)
	} else {
		err = h.receiver.Save(ctx, e)
	}
	if err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// receiveSMS stores an SMS event, and the answer that it may be. An event of
// which only one of the two was stored comes again.
func (h *dialpadEvents) receiveSMS(ctx context.Context, sms dialpad.SMSEvent, e ledger.WebhookEvent) error {
	e, err := h.optOuts.Receive(ctx, sms, e, h.receiver.Save)
	if err != nil {
		return err
	}
	return h.replies.Record(ctx, e, sms)
}

// hook returns the webhook of a path, before the body is read.
func (h *dialpadEvents) hook(ctx context.Context, path, address string) (webhook.Hook, error) {
	if !models.IsSecret(path) {
		return webhook.Hook{}, models.ErrNotFound
	}
	if hook, known := h.receiver.Cached(path); known {
		return hook, nil
	}
	if h.failures.Exceeded(address) {
		select {
		case h.lookups <- struct{}{}:
			defer func() { <-h.lookups }()
		case <-ctx.Done():
			return webhook.Hook{}, errBusy.withCause(ctx.Err())
		}
	}
	return h.receiver.Hook(ctx, path)
}

// refused counts a forged event.
func (h *dialpadEvents) refused(address string, err error) error {
	if errors.Is(err, models.ErrNotFound) || errors.Is(err, dialpad.ErrBadEvent) {
		h.failures.Add(address)
	}
	return err
}

// eventRecord returns what is stored, never a text. The hash leaves out white
// space around the body: it makes no other event.
func eventRecord(tenantID string, event dialpad.Event, body []byte) ledger.WebhookEvent {
	sum := sha256.Sum256(bytes.TrimSpace(body))
	e := ledger.WebhookEvent{TenantID: tenantID, Kind: ledger.EventUnknown, BodyHash: hex.EncodeToString(sum[:])}
	switch {
	case event.SMS != nil:
		sms := event.SMS
		e.Kind, e.DialpadID = ledger.EventSMS, sms.ID
		e.Status, e.Result, e.DeviceType, e.EventAt = sms.Status, sms.DeliveryResult, sms.DeviceType, nilIfZero(sms.EventAt)
	case event.ChangeLog != nil:
		e.Kind, e.DialpadUsers, e.EventAt = ledger.EventChangeLog, event.ChangeLog.UserIDs, nilIfZero(event.ChangeLog.Date)
	}
	return e
}

func nilIfZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
