package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// subscriptionKind is the last part of the subscription's path.
type subscriptionKind string

const (
	smsEvents subscriptionKind = "sms"
	changeLog subscriptionKind = "changelog"
)

// maxCompanyWide is the company's quota of company-wide subscriptions
// of one type, all apps together
// (developers.dialpad.com/docs/event-subscriptions).
const maxCompanyWide = 10

type subscription struct {
	id              string
	kind            subscriptionKind
	webhook         *webhook // nil: deleted
	enabled         bool
	direction       string
	status          bool
	includeInternal bool
	withText        bool // the grant had a content scope
	targetType      string
	targetID        string
}

// subscriptionsAPI serves /api/v2/subscriptions/{kind}.
type subscriptionsAPI struct {
	*state
	kind subscriptionKind
}

func (s *subscriptionsAPI) register(mux *http.ServeMux, server *apiServer, guard func(apiHandler) apiHandler) {
	path := "/api/v2/subscriptions/" + string(s.kind)
	mux.Handle("POST "+path, server.withToken(writeLock, guard(s.create)))
	mux.Handle("GET "+path, server.withToken(readLock, guard(s.list)))
	mux.Handle("GET "+path+"/{id}", server.withToken(readLock, guard(s.get)))
	mux.Handle("DELETE "+path+"/{id}", server.withToken(writeLock, guard(s.delete)))
}

func (s *subscriptionsAPI) toJSON(sub *subscription) map[string]any {
	j := map[string]any{"id": s.restID(sub.id), "enabled": sub.enabled, "webhook": nil}
	if sub.webhook != nil {
		j["webhook"] = s.webhookJSON(sub.webhook)
	}
	if sub.kind == smsEvents {
		j["direction"], j["status"], j["include_internal"] = sub.direction, sub.status, sub.includeInternal
	}
	if sub.targetID != "" {
		j["target_type"], j["target_id"] = sub.targetType, s.restID(sub.targetID)
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

func (s *subscriptionsAPI) create(c *apiRequest) response {
	var in subscriptionRequest
	if json.Unmarshal(c.body, &in) != nil {
		return refuse(http.StatusBadRequest, "Request body is not valid JSON")
	}
	sub := &subscription{
		id: s.newTextID(), kind: s.kind, enabled: in.Enabled == nil || *in.Enabled,
		webhook:   c.company.webhook(string(bytes.Trim(in.EndpointID, `"`))),
		direction: in.Direction, status: in.Status, includeInternal: in.IncludeInternal,
		withText:   slices.Contains(c.token.grant.scopes, "message_content_export:all"),
		targetType: in.TargetType, targetID: strings.Trim(string(in.TargetID), `"`),
	}
	if refused := c.refuseSubscription(sub); refused != nil {
		return *refused
	}
	c.company.subscriptions[s.kind] = append(c.company.subscriptions[s.kind], sub)
	return jsonResponse(s.toJSON(sub))
}

func (c *apiRequest) refuseSubscription(sub *subscription) *response {
	no := func(status int, message string) *response { a := refuse(status, message); return &a }
	companyWide := 0
	for _, other := range c.company.subscriptions[sub.kind] {
		if other.targetID == "" {
			companyWide++
		}
	}
	switch {
	case sub.kind == changeLog && !slices.Contains(c.token.grant.scopes, "change_log"):
		return no(http.StatusForbidden, "The scope change_log is required")
	case sub.webhook == nil:
		return no(http.StatusBadRequest, "endpoint_id names no webhook of this company")
	case sub.kind == smsEvents && !slices.Contains([]string{"all", "inbound", "outbound"}, sub.direction):
		return no(http.StatusBadRequest, "direction must be one of all, inbound, outbound")
	case sub.targetID == "" && companyWide >= maxCompanyWide:
		return no(http.StatusBadRequest, "This company has 10 company-wide subscriptions of this type already")
	}
	return nil
}

func (s *subscriptionsAPI) list(c *apiRequest) response {
	var all []any
	for _, sub := range c.company.subscriptions[s.kind] {
		all = append(all, s.toJSON(sub))
	}
	return pageResponse(c, all)
}

// find returns the subscription in the path, or nil.
func (s *subscriptionsAPI) find(c *apiRequest) *subscription {
	for _, sub := range c.company.subscriptions[s.kind] {
		if sub.id == c.http.PathValue("id") {
			return sub
		}
	}
	return nil
}

func (s *subscriptionsAPI) get(c *apiRequest) response {
	sub := s.find(c)
	if sub == nil {
		return refuse(http.StatusNotFound, "Subscription not found")
	}
	return jsonResponse(s.toJSON(sub))
}

func (s *subscriptionsAPI) delete(c *apiRequest) response {
	sub := s.find(c)
	if sub == nil {
		return refuse(http.StatusNotFound, "Subscription not found")
	}
	left := slices.DeleteFunc(c.company.subscriptions[s.kind], func(o *subscription) bool { return o == sub })
	c.company.subscriptions[s.kind] = left
	return jsonResponse(s.toJSON(sub))
}
