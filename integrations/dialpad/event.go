package dialpad

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// EventKind tells events apart.
type EventKind string

// Kinds of event. Dialpad's payloads carry no type: their fields tell.
const (
	EventSMS       EventKind = "sms"
	EventChangeLog EventKind = "changelog"
	EventUnknown   EventKind = "unknown"
)

// Event is one webhook delivery, verified.
type Event struct {
	Kind      EventKind
	SMS       *SMSEvent       // Kind sms
	ChangeLog *ChangeLogEvent // Kind changelog
	Raw       json.RawMessage // the payload as it was signed
}

// SMSEvent tells of a text: that it exists, or that its delivery status changed. Events come twice, out of order, and
// before the answer to the POST. developers.dialpad.com/docs/sms-events
type SMSEvent struct {
	ID             string
	Direction      string // inbound, outbound
	FromNumber     string
	ToNumbers      []string
	ContactNumber  string // the outside party
	TargetID       string // the Dialpad side
	TargetType     string // user, department, …
	SenderID       string // undocumented for users: often ""
	Status         string // open enum: pending, sent, delivered, failed, undelivered, …
	DeliveryResult string // open enum: invalid_destination, rejected_spam, …; mostly ""
	DeviceType     string // undocumented: often ""; public_api = sent by an API client
	Text           string // only with a content scope
	HasText        bool
	EventAt        time.Time // zero when the event does not say
}

// ErrBadEvent is every reason to refuse a delivery: answer 401 and store nothing.
var ErrBadEvent = errors.New("dialpad: event is not signed as agreed")

// One algorithm: with more, whoever knows what the key is used for chooses how it is checked. Times are not checked:
// deliveries are repeated for hours, and whether they carry exp is not documented. Strict, since loose base64 lets one
// signature be written in several ways, and a repeated event must be the same bytes.
var eventParser = jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithStrictDecoding())

// VerifyEvent checks a webhook's body, which is itself a compact JWT signed with the webhook's secret (HS256), and reads
// it. Plain JSON, alg none, another algorithm and an empty secret are refused. The error is ErrBadEvent.
func VerifyEvent(secret string, body []byte) (Event, error) {
	if secret == "" {
		return Event{}, ErrBadEvent
	}
	claims := new(rawClaims)
	_, err := eventParser.ParseWithClaims(string(bytes.TrimSpace(body)), claims, func(*jwt.Token) (any, error) { return []byte(secret), nil })
	if err != nil {
		return Event{}, ErrBadEvent
	}
	return readEvent(claims.raw), nil
}

// rawClaims keeps the payload as it is: a map would turn 16-digit ids into floats.
type rawClaims struct{ raw json.RawMessage }

func (c *rawClaims) UnmarshalJSON(b []byte) error {
	c.raw = append(c.raw[:0], b...)
	return nil
}

func (*rawClaims) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (*rawClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (*rawClaims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (*rawClaims) GetIssuer() (string, error)                   { return "", nil }
func (*rawClaims) GetSubject() (string, error)                  { return "", nil }
func (*rawClaims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

func readEvent(raw json.RawMessage) Event {
	event := Event{Kind: EventUnknown, Raw: raw}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return event
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := fields[n]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("message_status"), has("direction", "from_number", "to_number"):
		event.Kind, event.SMS = EventSMS, readSMS(raw, fields)
	case has("action") && (has("target") || has("changed_by") || has("note") || has("additional_data")):
		event.Kind, event.ChangeLog = EventChangeLog, readChangeLog(raw)
	}
	return event
}

// party is the target or the contact of an event; Dialpad leaves out either.
type party struct {
	ID     looseText `json:"id"`
	Type   looseText `json:"type"`
	Number looseText `json:"phone_number"`
}

func (p *party) UnmarshalJSON(b []byte) error {
	type plain party
	var v plain
	if len(b) > 0 && b[0] == '{' {
		_ = json.Unmarshal(b, &v) // its fields can't fail
	}
	*p = party(v)
	return nil
}

// smsBody is an SMS event under all the names that Dialpad documents and sends.
type smsBody struct {
	ID             looseText  `json:"id"`
	Direction      looseText  `json:"direction"`
	From           looseText  `json:"from_number"`
	To             looseList  `json:"to_number"`
	ToMany         looseList  `json:"to_numbers"`
	Contact        party      `json:"contact"`
	Target         party      `json:"target"`
	SenderID       looseText  `json:"sender_id"`
	Status         looseText  `json:"message_status"`
	DeliveryResult looseText  `json:"message_delivery_result"`
	DeviceType     looseText  `json:"device_type"`
	Text           *looseText `json:"text"`
	TextContent    *looseText `json:"text_content"`
	EventAt        looseTime  `json:"event_timestamp"`
	CreatedAt      looseTime  `json:"created_date"`
}

func readSMS(raw json.RawMessage, fields map[string]json.RawMessage) *SMSEvent {
	var j smsBody
	_ = json.Unmarshal(raw, &j) // its fields can't fail, and raw is an object
	e := &SMSEvent{
		ID: string(j.ID), Direction: strings.ToLower(string(j.Direction)), FromNumber: string(j.From), ToNumbers: j.To,
		ContactNumber: string(j.Contact.Number), TargetID: string(j.Target.ID), TargetType: strings.ToLower(string(j.Target.Type)),
		SenderID: string(j.SenderID), Status: strings.ToLower(string(j.Status)),
		DeliveryResult: strings.ToLower(string(j.DeliveryResult)), DeviceType: string(j.DeviceType), EventAt: j.EventAt.Time,
	}
	if len(e.ToNumbers) == 0 {
		e.ToNumbers = j.ToMany
	}
	if e.EventAt.IsZero() {
		e.EventAt = j.CreatedAt.Time
	}
	for _, text := range []*looseText{j.Text, j.TextContent} {
		if text != nil && !e.HasText {
			e.Text, e.HasText = string(*text), true
		}
	}
	return e
}
