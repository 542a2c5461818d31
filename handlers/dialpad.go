package handlers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

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
	connection, err := s.Store.Connections.ByHookAllTenants(ctx, c.Param("path"))
	if err != nil {
		return err
	}
	c.Set(keyTenant, connection.TenantID)
	_, secret, err := s.Store.Connections.OpenHook(connection)
	if err != nil {
		return err
	}
	event, err := dialpad.VerifyEvent(secret, body)
	if err != nil {
		return err
	}
	if event.SMS != nil {
		err = s.OptOuts.Receive(ctx, *event.SMS, stored(connection.TenantID, event, body))
	} else {
		_, err = s.Store.SaveEvent(ctx, stored(connection.TenantID, event, body))
	}
	if err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// stored is what is kept of an event: never the text. Its hash is of what was verified: white space around it makes
// no other event.
func stored(tenantID string, event dialpad.Event, body []byte) ledger.WebhookEvent {
	sum := sha256.Sum256(bytes.TrimSpace(body))
	e := ledger.WebhookEvent{TenantID: tenantID, Kind: ledger.EventUnknown, BodyHash: hex.EncodeToString(sum[:])}
	switch {
	case event.SMS != nil:
		sms := event.SMS
		e.Kind, e.DialpadID = ledger.EventSMS, sms.ID
		e.Status, e.Result, e.DeviceType, e.EventAt = sms.Status, sms.DeliveryResult, sms.DeviceType, moment(sms.EventAt)
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
