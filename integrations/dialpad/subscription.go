package dialpad

import (
	"context"
	"encoding/json"
	"net/http"
)

const (
	smsSubscriptionsPath       = "/api/v2/subscriptions/sms"
	changeLogSubscriptionsPath = "/api/v2/subscriptions/changelog"
)

// Subscription sends events of one type to a webhook.
type Subscription struct {
	ID              string
	WebhookID       string
	HookURL         string
	Enabled         bool
	Direction       string // sms only: all, inbound, outbound
	Status          bool   // sms only: also each new delivery status
	IncludeInternal bool   // sms only: also between users of the company
	TargetType      string // "": company-wide
	TargetID        string
}

type subscriptionJSON struct {
	ID              lenientID                  `json:"id"`
	Webhook         lenientObject[webhookJSON] `json:"webhook"`
	Enabled         lenientBool                `json:"enabled"`
	Direction       lenientString              `json:"direction"`
	Status          lenientBool                `json:"status"`
	IncludeInternal lenientBool                `json:"include_internal"`
	TargetType      lenientString              `json:"target_type"`
	TargetID        lenientID                  `json:"target_id"`
}

func (j subscriptionJSON) subscription() Subscription {
	return Subscription{
		ID: string(j.ID), WebhookID: string(j.Webhook.value.ID), HookURL: string(j.Webhook.value.URL), Enabled: bool(j.Enabled),
		Direction: string(j.Direction), Status: bool(j.Status), IncludeInternal: bool(j.IncludeInternal),
		TargetType: string(j.TargetType), TargetID: string(j.TargetID),
	}
}

// CreateSMSSubscription subscribes a webhook to every text of the
// company: both directions, internal ones, each delivery status.
// A company has room for 10 company-wide ones, of all apps together.
//
// API: POST /api/v2/subscriptions/sms
func (c *Client) CreateSMSSubscription(ctx context.Context, token, webhookID string) (Subscription, error) {
	in := map[string]any{"direction": "all", "status": true, "include_internal": true}
	return c.subscribe(ctx, token, smsSubscriptionsPath, webhookID, in)
}

// SMSSubscriptions lists the company's, other apps' included.
//
// API: GET /api/v2/subscriptions/sms
func (c *Client) SMSSubscriptions(ctx context.Context, token string) ([]Subscription, error) {
	return listAll(ctx, &c.api, token, smsSubscriptionsPath, subscriptionJSON.subscription)
}

// DeleteSMSSubscription deletes one.
//
// API: DELETE /api/v2/subscriptions/sms/{id}
func (c *Client) DeleteSMSSubscription(ctx context.Context, token, id string) error {
	return c.api.delete(ctx, token, smsSubscriptionsPath, id)
}

// CreateChangeLogSubscription subscribes a webhook to the company's
// change log. It needs a company admin and the scope change_log.
//
// API: POST /api/v2/subscriptions/changelog
func (c *Client) CreateChangeLogSubscription(ctx context.Context, token, webhookID string) (Subscription, error) {
	return c.subscribe(ctx, token, changeLogSubscriptionsPath, webhookID, map[string]any{})
}

// ChangeLogSubscriptions lists the company's, other apps' included.
//
// API: GET /api/v2/subscriptions/changelog
func (c *Client) ChangeLogSubscriptions(ctx context.Context, token string) ([]Subscription, error) {
	return listAll(ctx, &c.api, token, changeLogSubscriptionsPath, subscriptionJSON.subscription)
}

// DeleteChangeLogSubscription deletes one.
//
// API: DELETE /api/v2/subscriptions/changelog/{id}
func (c *Client) DeleteChangeLogSubscription(ctx context.Context, token, id string) error {
	return c.api.delete(ctx, token, changeLogSubscriptionsPath, id)
}

func (c *Client) subscribe(ctx context.Context, token, path, webhookID string, in map[string]any) (Subscription, error) {
	if !isID(webhookID) {
		return Subscription{}, invalidIDError()
	}
	in["endpoint_id"] = json.Number(webhookID)
	in["enabled"] = true
	var j subscriptionJSON
	if err := c.api.call(ctx, http.MethodPost, token, path, nil, in, &j); err != nil {
		return Subscription{}, err
	}
	if j.ID == "" {
		return Subscription{}, missingIDError()
	}
	return j.subscription(), nil
}
