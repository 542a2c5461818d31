package handlers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/optout"
	"dialpad-texting/app/webhook"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models/ledger"
)

// storeTimeout is below Dialpad's own timeout of 5 s: Dialpad repeats
// an event that is answered 5xx in time.
const storeTimeout = 4 * time.Second

// dialpadEvents stores Dialpad's webhook events for the worker.
type dialpadEvents struct {
	receiver *webhook.Receiver
	optOuts  *optout.OptOuts
}

// post stores an event. Only a forged one is answered 4xx, since Dialpad
// never repeats those:
// developers.dialpad.com/docs/webhook-delivery-failures
func (h *dialpadEvents) post(c *gin.Context) error {
	body, err := readBody(c, maxJSON)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), storeTimeout)
	defer cancel()
	tenantID, event, err := h.receiver.Verify(ctx, c.Param("path"), body)
	if tenantID != "" {
		c.Set(keyTenant, tenantID)
	}
	if err != nil {
		return err
	}
	e := eventRecord(tenantID, event, body)
	if event.SMS != nil {
		err = h.optOuts.Receive(ctx, *event.SMS, e, h.receiver.Save)
	} else {
		err = h.receiver.Save(ctx, e)
	}
	if err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
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
