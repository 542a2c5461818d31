package dialpad

import (
	"encoding/json"
	"strings"
	"time"
)

// SMSEvent reports a new text or a new delivery status. Events come
// twice, out of order, and even before the response to the POST.
//
// Docs: developers.dialpad.com/docs/sms-events
type SMSEvent struct {
	ID        string
	Direction string // inbound, outbound; may be missing
	// FromNumber and the others come as E.164, without the plus, in
	// national format, or not at all.
	FromNumber     string
	ToNumbers      []string
	ContactNumber  string // the number outside the company
	TargetNumber   string // the number inside, often in national format
	TargetID       string // the Dialpad user, department, …
	TargetType     string // user, department, …
	SenderID       string // undocumented for users: often ""
	Status         string // open enum: pending, sent, delivered, failed, undelivered, …
	DeliveryResult string // open enum: invalid_destination, rejected_spam, …; mostly ""
	DeviceType     string // undocumented, often ""; public_api: sent by an API client
	Text           string // only with a content scope
	HasText        bool
	Picture        bool      // an MMS
	Internal       bool      // between people of the company
	EventAt        time.Time // zero when the event has no time
}

// smsEventJSON has every field name that Dialpad documents or sends.
type smsEventJSON struct {
	ID             lenientID      `json:"id"`
	Direction      lenientString  `json:"direction"`
	From           lenientNumber  `json:"from_number"`
	To             lenientStrings `json:"to_number"`
	ToNumbers      lenientStrings `json:"to_numbers"`
	Contact        eventParty     `json:"contact"`
	Target         eventParty     `json:"target"`
	SenderID       lenientID      `json:"sender_id"`
	Status         lenientString  `json:"message_status"`
	DeliveryResult lenientString  `json:"message_delivery_result"`
	DeviceType     lenientString  `json:"device_type"`
	Text           *lenientString `json:"text"`
	TextContent    *lenientString `json:"text_content"`
	MMS            lenientBool    `json:"mms"`
	Internal       lenientBool    `json:"is_internal"`
	EventAt        lenientTime    `json:"event_timestamp"`
	CreatedAt      lenientTime    `json:"created_date"`
}

func decodeSMSEvent(raw json.RawMessage) *SMSEvent {
	var j smsEventJSON
	_ = json.Unmarshal(raw, &j) // an object, and lenient fields never fail
	e := &SMSEvent{
		ID: string(j.ID), Direction: normalizeWord(string(j.Direction)),
		FromNumber: string(j.From), ToNumbers: j.To, ContactNumber: string(j.Contact.Number),
		TargetNumber: string(j.Target.Number), TargetID: string(j.Target.ID), TargetType: strings.ToLower(string(j.Target.Type)),
		SenderID: string(j.SenderID), Status: normalizeWord(string(j.Status)),
		DeliveryResult: normalizeWord(string(j.DeliveryResult)),
		DeviceType:     string(j.DeviceType), EventAt: j.EventAt.Time,
		Picture: bool(j.MMS), Internal: bool(j.Internal),
	}
	if len(e.ToNumbers) == 0 {
		e.ToNumbers = j.ToNumbers
	}
	if e.EventAt.IsZero() {
		e.EventAt = j.CreatedAt.Time
	}
	for _, text := range []*lenientString{j.Text, j.TextContent} {
		if text != nil && strings.TrimSpace(e.Text) == "" {
			e.Text, e.HasText = string(*text), true
		}
	}
	return e
}
