package crm

import (
	"context"
	"time"
)

// Activity is a text on the CRM's timeline. MessageID is its key: it is
// written again at each new Status. One with ReplyTo is a person's answer to
// that message; its Body is "" where Dialpad gives no content.
type Activity struct {
	MessageID string
	ContactID string // may be ""
	DealID    string // may be ""
	UserID    string
	From      string // E.164
	To        string // E.164
	Body      string
	Status    string
	Error     string     // may be ""
	SentAt    *time.Time // may be nil
	Source    string
	BatchID   string // may be ""
	ReplyTo   string // may be ""
}

type activityData struct {
	Tenant    Tenant     `json:"tenant"`
	MessageID string     `json:"message_id"`
	ContactID *string    `json:"contact_id"`
	DealID    *string    `json:"deal_id"`
	UserID    *string    `json:"user_id"`
	Direction string     `json:"direction"`
	From      string     `json:"from"`
	To        string     `json:"to"`
	Body      *string    `json:"body"`
	Status    string     `json:"status"`
	Error     *string    `json:"error"`
	SentAt    *time.Time `json:"sent_at"`
	Source    string     `json:"source"`
	BatchID   *string    `json:"batch_id"`
	ReplyTo   *string    `json:"reply_to,omitempty"`
}

// UpsertActivity writes a text to the timeline (activity.upsert). id is
// the webhook-id: use the same one for every retry.
func (c *Client) UpsertActivity(ctx context.Context, t Tenant, id string, a Activity) error {
	if a.SentAt != nil {
		utc := a.SentAt.UTC()
		a.SentAt = &utc
	}
	direction, body := "outbound", &a.Body
	if a.ReplyTo != "" {
		direction, body = "inbound", nullable(a.Body)
	}
	return c.write(ctx, id, t, CallActivity, activityData{
		Tenant: t, MessageID: a.MessageID, ContactID: nullable(a.ContactID), DealID: nullable(a.DealID),
		UserID:    nullable(a.UserID),
		Direction: direction, From: a.From, To: a.To, Body: body, ReplyTo: nullable(a.ReplyTo), Status: a.Status, Error: nullable(a.Error),
		SentAt: a.SentAt, Source: a.Source, BatchID: nullable(a.BatchID),
	})
}
