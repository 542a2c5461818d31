package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// subscriptionKind is the last part of the subscription's path.
type subscriptionKind string

const (
	smsEvents subscriptionKind = "sms"
	changeLog subscriptionKind = "changelog"
)

const maxCompanyWide = 10 // subscriptions a type and company, of all apps together

type webhook struct {
	id, url, secret string
}

type subscription struct {
	id              string
	kind            subscriptionKind
	hook            *webhook // nil = the webhook was deleted
	enabled         bool
	direction       string
	status          bool
	includeInternal bool
	withText        bool // the grant had a content scope
	targetType      string
	targetID        string
}

func (s *Sandbox) webhookJSON(h *webhook) map[string]any {
	j := map[string]any{"id": s.id(h.id), "hook_url": h.url}
	if h.secret != "" {
		j["signature"] = map[string]any{"algo": "HS256", "secret": h.secret, "type": "jwt"} // in clear, as Dialpad does
	}
	return j
}

func (s *Sandbox) createWebhook(c *call) answer {
	var in struct {
		URL    string `json:"hook_url"`
		Secret string `json:"secret"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return refuse(http.StatusBadRequest, "Request body is not valid JSON")
	}
	u, err := url.Parse(in.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return refuse(http.StatusBadRequest, "hook_url is not a valid URL")
	}
	if strings.ContainsAny(in.Secret, "\r\n") {
		return refuse(http.StatusBadRequest, "secret must be a single line")
	}
	h := &webhook{id: strconv.FormatInt(s.ids.next(), 10), url: in.URL, secret: in.Secret}
	c.company.webhooks = append(c.company.webhooks, h)
	return ok(s.webhookJSON(h))
}

func (s *Sandbox) listWebhooks(c *call) answer {
	var all []any
	for _, h := range c.company.webhooks {
		all = append(all, s.webhookJSON(h))
	}
	return page(c, all)
}

func (co *company) webhook(id string) *webhook {
	i := slices.IndexFunc(co.webhooks, func(h *webhook) bool { return h.id == id })
	if i < 0 {
		return nil
	}
	return co.webhooks[i]
}

func (s *Sandbox) getWebhook(c *call) answer {
	h := c.company.webhook(c.r.PathValue("id"))
	if h == nil {
		return refuse(http.StatusNotFound, "Webhook not found")
	}
	return ok(s.webhookJSON(h))
}

// deleteWebhook leaves its subscriptions behind, pointing nowhere.
func (s *Sandbox) deleteWebhook(c *call) answer {
	h := c.company.webhook(c.r.PathValue("id"))
	if h == nil {
		return refuse(http.StatusNotFound, "Webhook not found")
	}
	c.company.webhooks = slices.DeleteFunc(c.company.webhooks, func(w *webhook) bool { return w == h })
	for _, subs := range c.company.subs {
		for _, sub := range subs {
			if sub.hook == h {
				sub.hook = nil
			}
		}
	}
	return ok(s.webhookJSON(h))
}

func (s *Sandbox) subscriptionJSON(sub *subscription) map[string]any {
	j := map[string]any{"id": s.id(sub.id), "enabled": sub.enabled, "webhook": nil}
	if sub.hook != nil {
		j["webhook"] = s.webhookJSON(sub.hook)
	}
	if sub.kind == smsEvents {
		j["direction"], j["status"], j["include_internal"] = sub.direction, sub.status, sub.includeInternal
	}
	if sub.targetID != "" {
		j["target_type"], j["target_id"] = sub.targetType, s.id(sub.targetID)
	}
	return j
}

type subscriptionRequest struct {
	EndpointID      json.RawMessage `json:"endpoint_id"`
	Enabled         *bool           `json:"enabled"`
	Direction       string          `json:"direction"`
	Status          bool            `json:"status"`
	IncludeInternal bool            `json:"include_internal"`
	TargetType      string          `json:"target_type"`
	TargetID        json.RawMessage `json:"target_id"`
}

func (s *Sandbox) createSubscription(kind subscriptionKind) apiFunc {
	return func(c *call) answer {
		var in subscriptionRequest
		if json.Unmarshal(c.body, &in) != nil {
			return refuse(http.StatusBadRequest, "Request body is not valid JSON")
		}
		sub := &subscription{
			id: strconv.FormatInt(s.ids.next(), 10), kind: kind, enabled: in.Enabled == nil || *in.Enabled,
			hook:      c.company.webhook(string(bytes.Trim(in.EndpointID, `"`))),
			direction: in.Direction, status: in.Status, includeInternal: in.IncludeInternal,
			withText:   slices.Contains(c.token.grant.scopes, "message_content_export:all"),
			targetType: in.TargetType, targetID: strings.Trim(string(in.TargetID), `"`),
		}
		if refused := c.refuseSubscription(sub); refused != nil {
			return *refused
		}
		c.company.subs[kind] = append(c.company.subs[kind], sub)
		return ok(s.subscriptionJSON(sub))
	}
}

func (c *call) refuseSubscription(sub *subscription) *answer {
	no := func(status int, message string) *answer { a := refuse(status, message); return &a }
	wide := 0
	for _, other := range c.company.subs[sub.kind] {
		if other.targetID == "" {
			wide++
		}
	}
	switch {
	case sub.kind == changeLog && !slices.Contains(c.token.grant.scopes, "change_log"):
		return no(http.StatusForbidden, "The scope change_log is required")
	case sub.hook == nil:
		return no(http.StatusBadRequest, "endpoint_id names no webhook of this company")
	case sub.kind == smsEvents && !slices.Contains([]string{"all", "inbound", "outbound"}, sub.direction):
		return no(http.StatusBadRequest, "direction must be one of all, inbound, outbound")
	case sub.targetID == "" && wide >= maxCompanyWide:
		return no(http.StatusBadRequest, "This company has 10 company-wide subscriptions of this type already")
	}
	return nil
}

func (s *Sandbox) listSubscriptions(kind subscriptionKind) apiFunc {
	return func(c *call) answer {
		var all []any
		for _, sub := range c.company.subs[kind] {
			all = append(all, s.subscriptionJSON(sub))
		}
		return page(c, all)
	}
}

func (c *call) subscription(kind subscriptionKind) *subscription {
	for _, sub := range c.company.subs[kind] {
		if sub.id == c.r.PathValue("id") {
			return sub
		}
	}
	return nil
}

func (s *Sandbox) getSubscription(kind subscriptionKind) apiFunc {
	return func(c *call) answer {
		sub := c.subscription(kind)
		if sub == nil {
			return refuse(http.StatusNotFound, "Subscription not found")
		}
		return ok(s.subscriptionJSON(sub))
	}
}

func (s *Sandbox) deleteSubscription(kind subscriptionKind) apiFunc {
	return func(c *call) answer {
		sub := c.subscription(kind)
		if sub == nil {
			return refuse(http.StatusNotFound, "Subscription not found")
		}
		c.company.subs[kind] = slices.DeleteFunc(c.company.subs[kind], func(o *subscription) bool { return o == sub })
		return ok(s.subscriptionJSON(sub))
	}
}
