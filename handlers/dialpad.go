package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/optout"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models/ledger"
)

// storeWithin bounds what Dialpad waits for: it gives up after 5 s, and repeats what we answer 5xx in time.
const storeWithin = 4 * time.Second

// postDialpadEvent stores an event of Dialpad and answers; a worker processes it. Dialpad never repeats what was
// answered 4xx, so only a delivery that is not Dialpad's gets one. developers.dialpad.com/docs/webhook-delivery-failures
func (s *server) postDialpadEvent(c *gin.Context) error {
	body, err := readBody(c, maxJSON)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), storeWithin)
	defer cancel()
	tenantID, event, err := s.Webhook.Verify(ctx, c.Param("path"), body)
	if tenantID != "" {
		c.Set(keyTenant, tenantID)
	}
	if err != nil {
		return err
	}
	if err := s.Webhook.Save(ctx, stored(tenantID, event, body)); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// stored is what is kept of an event: never the text, of which a STOP or START is all we need.
func stored(tenantID string, event dialpad.Event, body []byte) ledger.WebhookEvent {
	sum := sha256.Sum256(body)
	e := ledger.WebhookEvent{TenantID: tenantID, Kind: ledger.EventUnknown, BodyHash: hex.EncodeToString(sum[:])}
	switch {
	case event.SMS != nil:
		sms := event.SMS
		e.Kind, e.DialpadID, e.Direction, e.FromNumber = ledger.EventSMS, sms.ID, sms.Direction, sms.FromNumber
		e.Status, e.Result, e.DeviceType, e.EventAt = sms.Status, sms.DeliveryResult, sms.DeviceType, moment(sms.EventAt)
		if len(sms.ToNumbers) > 0 {
			e.ToNumber = sms.ToNumbers[0]
		}
		if sms.Direction == "inbound" {
			e.OptWord = optout.Word(sms.Text)
		}
	case event.ChangeLog != nil:
		e.Kind, e.DialpadUsers, e.EventAt = ledger.EventChangeLog, event.ChangeLog.UserIDs, moment(event.ChangeLog.Date)
	}
	return e
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
