package sandbox

import (
	"encoding/json"
	"time"

	"dialpad-texting/integrations/crm"
)

// Activity is a text on the timeline, as activity.upsert last wrote it.
type Activity struct {
	crm.Activity
	UpdatedAt time.Time // timestamp of the last applied call
	Updates   int       // calls
}

type activityCall struct {
	MessageID idIn       `json:"message_id"`
	ContactID idIn       `json:"contact_id"`
	DealID    idIn       `json:"deal_id"`
	UserID    idIn       `json:"user_id"`
	Direction string     `json:"direction"`
	From      string     `json:"from"`
	To        string     `json:"to"`
	Body      string     `json:"body"`
	Status    string     `json:"status"`
	Error     string     `json:"error"`
	SentAt    *time.Time `json:"sent_at"`
	Source    idIn       `json:"source"`
	BatchID   idIn       `json:"batch_id"`
	ReplyTo   idIn       `json:"reply_to"`
}

func (s *contractAPI) upsertActivity(t *tenant, call crm.Call, id string) (any, error) {
	var a activityCall
	if err := json.Unmarshal(call.Data, &a); err != nil {
		return nil, badRequest("data cannot be read")
	}
	switch {
	case a.MessageID == "":
		return nil, badRequest("data.message_id is required")
	case a.Direction != "outbound" && a.Direction != "inbound":
		return nil, badRequest("data.direction is neither outbound nor inbound")
	case (a.Direction == "inbound") != (a.ReplyTo != ""):
		return nil, badRequest("data.reply_to is for inbound alone, and required there")
	case a.Status == "":
		return nil, badRequest("data.status is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isRepeat(id) {
		return nil, nil
	}
	t.putActivity(a.activity(call.Timestamp))
	return nil, nil
}

func (a activityCall) activity(at time.Time) Activity {
	return Activity{UpdatedAt: at, Updates: 1, Activity: crm.Activity{
		MessageID: string(a.MessageID), ContactID: string(a.ContactID), DealID: string(a.DealID), UserID: string(a.UserID),
		From: a.From, To: a.To, Body: a.Body, Status: a.Status, Error: a.Error, SentAt: a.SentAt,
		Source: string(a.Source), BatchID: string(a.BatchID), ReplyTo: string(a.ReplyTo),
	}}
}

// putActivity stores an activity. Calls are retried, so an older state
// may arrive after a newer one: it is ignored.
func (t *tenant) putActivity(a Activity) {
	t.version++
	old := t.activityByID[a.MessageID]
	if old == nil {
		t.activities = append(t.activities, &a)
		t.activityByID[a.MessageID] = &a
		return
	}
	old.Updates++
	if a.UpdatedAt.Before(old.UpdatedAt) {
		return
	}
	a.Updates = old.Updates
	*old = a
}

// isRepeat records a write's webhook-id and reports whether it was
// applied before. The caller holds mu.
func (s *contractAPI) isRepeat(id string) bool {
	if s.appliedIDs[id] {
		return true
	}
	s.appliedIDs[id] = true
	return false
}

func (s *contractAPI) upsertOptOut(t *tenant, call crm.Call, id string) (any, error) {
	var o struct {
		Number   string `json:"number"`
		OptedOut *bool  `json:"opted_out"`
	}
	if err := json.Unmarshal(call.Data, &o); err != nil || o.OptedOut == nil || o.Number == "" {
		return nil, badRequest("data.number and data.opted_out are required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isRepeat(id) {
		t.setOptOut(o.Number, *o.OptedOut)
	}
	return nil, nil
}
