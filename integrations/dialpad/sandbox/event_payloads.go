package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// eventSeries is what Dialpad reports about one text or one change:
// events in order, each to every receiver.
type eventSeries struct {
	kind   subscriptionKind
	events []event
}

type event struct {
	name      string // message status, or action
	receivers []receiver
	payload   func(withText bool, at time.Time) jwt.MapClaims
}

type receiver struct {
	webhook  *webhook
	withText bool
}

// receivers returns the webhooks that want an event. The caller holds mu.
func (c *company) receivers(kind subscriptionKind, want func(*subscription) bool) []receiver {
	var out []receiver
	for _, sub := range c.subscriptions[kind] {
		if sub.enabled && sub.webhook != nil && want(sub) {
			out = append(out, receiver{sub.webhook, sub.withText})
		}
	}
	return out
}

// smsSentEvents are the events of a sent text: pending, sent, and
// delivered or what SetDeliveryResult says. The caller holds mu.
func (st *state) smsSentEvents(c *company, sender *User, id int64, from string, in smsRequest) eventSeries {
	to := in.ToNumbers[0]
	peer := st.userByNumber[to]
	internal := peer != nil && peer.CompanyID == c.id
	statuses := []string{"pending", "sent", "delivered"}
	result := st.deliveryResults[to]
	if result != "" {
		statuses = []string{"pending", "sent", "undelivered"}
	}
	base := smsFields(sender, from, to)
	base["id"], base["created_date"], base["direction"] = id, st.now().UnixMilli(), "outbound"
	base["from_number"], base["to_number"], base["is_internal"] = from, in.ToNumbers, internal
	if st.opts.IncludeSenderID {
		base["sender_id"] = json.Number(sender.ID)
	}
	series := eventSeries{kind: smsEvents}
	for i, status := range statuses {
		receivers := c.receivers(smsEvents, func(sub *subscription) bool {
			return (i == 0 || sub.status) && sub.direction != "inbound" && (!internal || sub.includeInternal) &&
				(sub.targetID == "" || sub.targetID == sender.ID)
		})
		var deliveryResult any
		if status == "undelivered" {
			deliveryResult = result
		}
		payload := smsPayload(base, in.Text, status, deliveryResult)
		series.events = append(series.events, event{name: status, receivers: receivers, payload: payload})
	}
	return series
}

// smsReceivedEvents is the event of a text to a user. The caller holds mu.
func smsReceivedEvents(c *company, user *User, t Text) eventSeries {
	base := smsFields(user, t.To, t.From)
	base["id"], base["created_date"], base["direction"] = t.ID, t.At.UnixMilli(), "inbound"
	base["from_number"], base["to_number"] = t.From, []string{t.To}
	receivers := c.receivers(smsEvents, func(sub *subscription) bool {
		return sub.direction != "outbound" && (sub.targetID == "" || sub.targetID == user.ID)
	})
	payload := smsPayload(base, t.Text, "success", nil)
	return eventSeries{kind: smsEvents, events: []event{{name: "received", receivers: receivers, payload: payload}}}
}

// smsFields are the documented fields that both directions share.
func smsFields(user *User, userNumber, contact string) map[string]any {
	return map[string]any{
		"target":  map[string]any{"id": json.Number(user.ID), "type": "user", "name": user.Name(), "phone_number": userNumber},
		"contact": map[string]any{"id": "c" + strings.TrimPrefix(contact, "+"), "name": contact, "phone_number": contact},
		"mms":     false, "is_internal": false,
	}
}

func smsPayload(base map[string]any, text, status string, result any) func(bool, time.Time) jwt.MapClaims {
	return func(withText bool, at time.Time) jwt.MapClaims {
		claims := jwt.MapClaims{"event_timestamp": at.UnixMilli(), "message_status": status, "message_delivery_result": result}
		maps.Copy(claims, base)
		if withText {
			claims["text"], claims["text_content"] = text, text
		}
		return claims
	}
}

// userChangedEvents is a change-log event. Dialpad's codes for changes
// of users are unknown: these are invented. The caller holds mu.
func userChangedEvents(c *company, user *User, action, from, to string) eventSeries {
	admin := user
	if i := slices.IndexFunc(c.users, func(u *User) bool { return u.IsSuperAdmin }); i >= 0 {
		admin = c.users[i]
	}
	target := map[string]any{"type": "User", "id": json.Number(user.ID)}
	changedBy := map[string]any{"name": admin.Name(), "id": json.Number(admin.ID), "type": "User"}
	payload := func(_ bool, at time.Time) jwt.MapClaims {
		return jwt.MapClaims{
			"date": at.UnixMilli(), "action": action, "note": "Changed from " + from + " to " + to,
			"additional_data": map[string]any{"from": from, "to": to}, "target": target, "changed_by": changedBy,
		}
	}
	receivers := c.receivers(changeLog, func(*subscription) bool { return true })
	return eventSeries{kind: changeLog, events: []event{{name: action, receivers: receivers, payload: payload}}}
}
