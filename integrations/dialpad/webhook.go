package dialpad

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Webhook is an address that Dialpad posts events to. The secret that the API returns in clear is left out on purpose.
type Webhook struct {
	ID  string
	URL string
}

// Subscription sends one type of event to a webhook.
type Subscription struct {
	ID              string
	WebhookID       string
	HookURL         string
	Enabled         bool
	Direction       string // sms only: all, inbound, outbound
	Status          bool   // sms only: also at each change of delivery status
	IncludeInternal bool   // sms only: also between users of the company
	TargetType      string // "" = company wide
	TargetID        string
}

type webhookJSON struct {
	ID  looseText `json:"id"`
	URL looseText `json:"hook_url"`
}

type subscriptionJSON struct {
	ID              looseText   `json:"id"`
	Webhook         webhookJSON `json:"webhook"`
	Enabled         looseBool   `json:"enabled"`
	Direction       looseText   `json:"direction"`
	Status          looseBool   `json:"status"`
	IncludeInternal looseBool   `json:"include_internal"`
	TargetType      looseText   `json:"target_type"`
	TargetID        looseText   `json:"target_id"`
}

func (j subscriptionJSON) subscription() Subscription {
	return Subscription{
		ID: string(j.ID), WebhookID: string(j.Webhook.ID), HookURL: string(j.Webhook.URL), Enabled: bool(j.Enabled),
		Direction: string(j.Direction), Status: bool(j.Status), IncludeInternal: bool(j.IncludeInternal),
		TargetType: string(j.TargetType), TargetID: string(j.TargetID),
	}
}

const (
	webhooksPath  = "/api/v2/webhooks"
	smsSubsPath   = "/api/v2/subscriptions/sms"
	changeLogPath = "/api/v2/subscriptions/changelog"
)

// CreateWebhook makes an address whose events are signed with secret (one line; a JWT, HS256). 100 calls a minute.
func (c *Client) CreateWebhook(ctx context.Context, token, hookURL, secret string) (Webhook, error) {
	in := map[string]string{"hook_url": hookURL, "secret": secret}
	var j webhookJSON
	if err := c.call(ctx, http.MethodPost, token, webhooksPath, nil, in, &j); err != nil {
		return Webhook{}, err
	}
	if j.ID == "" {
		return Webhook{}, noID()
	}
	return Webhook{ID: string(j.ID), URL: string(j.URL)}, nil
}

// Webhooks lists all webhooks of the company, of other apps too.
func (c *Client) Webhooks(ctx context.Context, token string) ([]Webhook, error) {
	return list(ctx, c, token, webhooksPath, func(j webhookJSON) Webhook { return Webhook{ID: string(j.ID), URL: string(j.URL)} })
}

// DeleteWebhook deletes one webhook.
func (c *Client) DeleteWebhook(ctx context.Context, token, id string) error {
	return c.delete(ctx, token, webhooksPath, id)
}

// CreateSMSSubscription subscribes the webhook to every text of the company, both directions, internal ones too, with
// each change of delivery status. A company has room for 10 company-wide ones, of all apps together.
func (c *Client) CreateSMSSubscription(ctx context.Context, token, endpointID string) (Subscription, error) {
	return c.subscribe(ctx, token, smsSubsPath, endpointID, map[string]any{"direction": "all", "status": true, "include_internal": true})
}

// SMSSubscriptions lists the company's, of other apps too.
func (c *Client) SMSSubscriptions(ctx context.Context, token string) ([]Subscription, error) {
	return list(ctx, c, token, smsSubsPath, subscriptionJSON.subscription)
}

// DeleteSMSSubscription deletes one.
func (c *Client) DeleteSMSSubscription(ctx context.Context, token, id string) error {
	return c.delete(ctx, token, smsSubsPath, id)
}

// CreateChangeLogSubscription subscribes the webhook to the company's change log. Needs a company admin and the scope
// change_log.
func (c *Client) CreateChangeLogSubscription(ctx context.Context, token, endpointID string) (Subscription, error) {
	return c.subscribe(ctx, token, changeLogPath, endpointID, map[string]any{})
}

// ChangeLogSubscriptions lists the company's, of other apps too.
func (c *Client) ChangeLogSubscriptions(ctx context.Context, token string) ([]Subscription, error) {
	return list(ctx, c, token, changeLogPath, subscriptionJSON.subscription)
}

// DeleteChangeLogSubscription deletes one.
func (c *Client) DeleteChangeLogSubscription(ctx context.Context, token, id string) error {
	return c.delete(ctx, token, changeLogPath, id)
}

func (c *Client) subscribe(ctx context.Context, token, path, endpointID string, in map[string]any) (Subscription, error) {
	if !isID(endpointID) {
		return Subscription{}, &Error{Kind: Refused, Err: errNotAnID}
	}
	in["endpoint_id"] = json.Number(endpointID)
	in["enabled"] = true
	var j subscriptionJSON
	if err := c.call(ctx, http.MethodPost, token, path, nil, in, &j); err != nil {
		return Subscription{}, err
	}
	if j.ID == "" {
		return Subscription{}, noID()
	}
	return j.subscription(), nil
}

func (c *Client) delete(ctx context.Context, token, path, id string) error {
	return c.call(ctx, http.MethodDelete, token, path+"/"+url.PathEscape(id), nil, nil, nil)
}

// list reads all pages of path.
func list[J, T any](ctx context.Context, c *Client, token, path string, convert func(J) T) ([]T, error) {
	return collect(func(cursor string) ([]T, string, error) {
		query := url.Values{}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var j struct {
			Items  []J       `json:"items"`
			Cursor looseText `json:"cursor"`
		}
		if err := c.get(ctx, token, path, query, &j); err != nil {
			return nil, "", err
		}
		var items []T
		for _, item := range j.Items {
			items = append(items, convert(item))
		}
		return items, string(j.Cursor), nil
	})
}
