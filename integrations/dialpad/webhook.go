package dialpad

import (
	"context"
	"net/http"
)

const webhooksPath = "/api/v2/webhooks"

// Webhook is a URL that Dialpad posts events to. The API also returns
// the secret in clear; it is left out on purpose.
type Webhook struct {
	ID  string
	URL string
}

type webhookJSON struct {
	ID  lenientID     `json:"id"`
	URL lenientString `json:"hook_url"`
}

func (j webhookJSON) webhook() Webhook { return Webhook{ID: string(j.ID), URL: string(j.URL)} }

// CreateWebhook creates a webhook. Dialpad signs its events with
// secret (a single line) as JWTs, HS256. It allows 100 calls a minute.
//
// API: POST /api/v2/webhooks
func (c *Client) CreateWebhook(ctx context.Context, token, hookURL, secret string) (Webhook, error) {
	in := map[string]string{"hook_url": hookURL, "secret": secret}
	var j webhookJSON
	if err := c.api.call(ctx, http.MethodPost, token, webhooksPath, nil, in, &j); err != nil {
		return Webhook{}, err
	}
	if j.ID == "" {
		return Webhook{}, missingIDError()
	}
	return j.webhook(), nil
}

// Webhooks lists the company's webhooks, other apps' included.
//
// API: GET /api/v2/webhooks
func (c *Client) Webhooks(ctx context.Context, token string) ([]Webhook, error) {
	return listAll(ctx, &c.api, token, webhooksPath, webhookJSON.webhook)
}

// DeleteWebhook deletes one webhook.
//
// API: DELETE /api/v2/webhooks/{id}
func (c *Client) DeleteWebhook(ctx context.Context, token, id string) error {
	return c.api.delete(ctx, token, webhooksPath, id)
}
