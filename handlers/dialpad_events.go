package handlers

import (
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
type dialpadEvents struct{ receiver *webhook.Receiver }

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
	if err := h.receiver.Save(ctx, eventRecord(tenantID, event, body)); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// eventRecord returns what is stored: of a text only STOP or START.
func eventRecord(tenantID string, event dialpad.Event, body []byte) ledger.WebhookEvent {
	sum := sha256.Sum256(body)
	e := ledger.WebhookEvent{TenantID: tenantID, Kind: ledger.EventUnknown, BodyHash: hex.EncodeToString(sum[:])}
	switch {
	case event.SMS != nil:
		sms := event.SMS
		e.Kind, e.DialpadID, e.Direction, e.FromNumber = ledger.EventSMS, sms.ID, sms.Direction, sms.FromNumber
		e.Status, e.Result, e.DeviceType, e.EventAt = sms.Status, sms.DeliveryResult, sms.DeviceType, nilIfZero(sms.EventAt)
		if len(sms.ToNumbers) > 0 {
			e.ToNumber = sms.ToNumbers[0]
		}
		if sms.Direction == "inbound" {
			e.OptWord = optout.Word(sms.Text)
		}
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
