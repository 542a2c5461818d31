package crm

import (
	"context"
	"time"
)

// Outcomes of an automation's text, as the CRM's workflow goes on.
const (
	StateSuccess = "SUCCESS"
	StateFail    = "FAIL_CONTINUE"

	PortSend   = "send"
	PortFailed = "failed"

	SeverityNone   = "none"
	SeverityMedium = "medium"
	SeverityHigh   = "high"
)

// Activity is a text on the CRM's timeline, keyed by MessageID and sent again
// at each change of Status. ContactID, DealID, Error, BatchID may be "", SentAt
// nil. From and To are E.164.
type Activity struct {
	MessageID string
	ContactID string
	DealID    string
	UserID    string
	From      string
	To        string
	Body      string
	Status    string
	Error     string
	SentAt    *time.Time
	Source    string
	BatchID   string
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
	Body      string     `json:"body"`
	Status    string     `json:"status"`
	Error     *string    `json:"error"`
	SentAt    *time.Time `json:"sent_at"`
	Source    string     `json:"source"`
	BatchID   *string    `json:"batch_id"`
}

// UpsertActivity writes a text to the timeline (activity.upsert). id is the
// webhook-id: the same on every try.
func (c *Client) UpsertActivity(ctx context.Context, t Tenant, id string, a Activity) error {
	if a.SentAt != nil {
		utc := a.SentAt.UTC()
		a.SentAt = &utc
	}
	return c.write(ctx, id, t, CallActivity, activityData{
		Tenant: t, MessageID: a.MessageID, ContactID: nullable(a.ContactID), DealID: nullable(a.DealID), UserID: nullable(a.UserID),
		Direction: "outbound", From: a.From, To: a.To, Body: a.Body, Status: a.Status, Error: nullable(a.Error),
		SentAt: a.SentAt, Source: a.Source, BatchID: nullable(a.BatchID),
	})
}

// UpsertOptOut tells the CRM that a number (E.164) opted out of texts, or in
// again, and by what (optout.upsert). id is the same on every try.
func (c *Client) UpsertOptOut(ctx context.Context, t Tenant, id, number string, optedOut bool, source string) error {
	return c.write(ctx, id, t, CallOptOut, struct {
		Tenant   Tenant `json:"tenant"`
		Number   string `json:"number"`
		OptedOut bool   `json:"opted_out"`
		Source   string `json:"source"`
	}{t, number, optedOut, source})
}

// Completion ends an automation's wait, once: StateSuccess on PortSend or
// StateFail on PortFailed.
type Completion struct {
	CallbackID string            `json:"callback_id"`
	State      string            `json:"state"`
	Port       string            `json:"port"`
	Outputs    CompletionOutputs `json:"outputs"`
	Severity   string            `json:"severity"`
}

// CompletionOutputs are the values later steps of the workflow may use.
type CompletionOutputs struct {
	Status    string `json:"status"`
	MessageID string `json:"message_id"`
	ErrorCode string `json:"error_code"`
	ErrorText string `json:"error_text"`
}

// Complete reports an automation's outcome (automation.complete). id is the
// same on every try.
func (c *Client) Complete(ctx context.Context, t Tenant, id string, done Completion) error {
	return c.write(ctx, id, t, CallComplete, struct {
		Tenant Tenant `json:"tenant"`
		Completion
	}{t, done})
}
