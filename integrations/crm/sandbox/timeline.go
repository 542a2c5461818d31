package sandbox

import (
	"encoding/json"
	"slices"
	"time"

	"dialpad-texting/integrations/crm"
)

// Activity is a text on the timeline, as activity.upsert last told of it.
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
	UpdatedAt time.Time // of the call that is shown
	Updates   int       // how often it was told of
}

type activityCall struct {
	MessageID ref        `json:"message_id"`
	ContactID ref        `json:"contact_id"`
	DealID    ref        `json:"deal_id"`
	UserID    ref        `json:"user_id"`
	Direction string     `json:"direction"`
	From      string     `json:"from"`
	To        string     `json:"to"`
	Body      string     `json:"body"`
	Status    string     `json:"status"`
	Error     string     `json:"error"`
	SentAt    *time.Time `json:"sent_at"`
	Source    ref        `json:"source"`
	BatchID   ref        `json:"batch_id"`
}

func (s *Sandbox) upsertActivity(t *tenant, call crm.Call, id string) (any, error) {
	var a activityCall
	if err := json.Unmarshal(call.Data, &a); err != nil {
		return nil, refuse("data cannot be read")
	}
	switch {
	case a.MessageID == "":
		return nil, refuse("data.message_id is required")
	case a.Direction != "outbound":
		return nil, refuse("data.direction is not outbound")
	case a.Status == "":
		return nil, refuse("data.status is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.repeated(id) {
		return nil, nil
	}
	t.keep(a.activity(call.Timestamp))
	return nil, nil
}

func (a activityCall) activity(at time.Time) Activity {
	return Activity{
		MessageID: string(a.MessageID), ContactID: string(a.ContactID), DealID: string(a.DealID), UserID: string(a.UserID),
		From: a.From, To: a.To, Body: a.Body, Status: a.Status, Error: a.Error, SentAt: a.SentAt,
		Source: string(a.Source), BatchID: string(a.BatchID), UpdatedAt: at, Updates: 1,
	}
}

// keep writes an activity over an earlier one; calls are retried, so an older
// state may arrive after a newer one and must not win.
func (t *tenant) keep(a Activity) {
	t.version++
	old := t.activityAt[a.MessageID]
	if old == nil {
		t.activities = append(t.activities, &a)
		t.activityAt[a.MessageID] = &a
		return
	}
	old.Updates++
	if a.UpdatedAt.Before(old.UpdatedAt) {
		return
	}
	a.Updates = old.Updates
	*old = a
}

// repeated notes a write's webhook-id and reports whether it was applied before.
func (s *Sandbox) repeated(id string) bool {
	if s.answered[id] {
		return true
	}
	s.answered[id] = true
	return false
}

func (s *Sandbox) upsertOptOut(t *tenant, call crm.Call, id string) (any, error) {
	var o struct {
		Number   string `json:"number"`
		OptedOut *bool  `json:"opted_out"`
	}
	if err := json.Unmarshal(call.Data, &o); err != nil || o.OptedOut == nil || o.Number == "" {
		return nil, refuse("data.number and data.opted_out are required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.repeated(id) {
		t.setOptOut(o.Number, *o.OptedOut)
	}
	return nil, nil
}

func (t *tenant) setOptOut(number string, out bool) {
	t.version++
	if out {
		t.optedOut[digits(number)] = true
	} else {
		delete(t.optedOut, digits(number))
	}
}

// Activities are the tenant's timeline, oldest first.
func (s *Sandbox) Activities(tenantKey string) []Activity {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tenant(tenantKey)
	if t == nil {
		return nil
	}
	return t.timeline(func(Activity) bool { return true })
}

func (t *tenant) timeline(of func(Activity) bool) []Activity {
	var out []Activity
	for _, a := range t.activities {
		if of(*a) {
			out = append(out, *a)
		}
	}
	slices.SortStableFunc(out, func(a, b Activity) int { return a.when().Compare(b.when()) })
	return out
}

// when places an activity on the timeline.
func (a Activity) when() time.Time {
	if a.SentAt != nil {
		return *a.SentAt
	}
	return a.UpdatedAt
}
