package dialpad

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// EventKind is the type of a webhook event.
type EventKind string

// Kinds of event. The payloads contain no type: their fields show it.
const (
	EventSMS       EventKind = "sms"
	EventChangeLog EventKind = "changelog"
	EventUnknown   EventKind = "unknown"
)

// Event is one verified webhook delivery.
type Event struct {
	Kind      EventKind
	SMS       *SMSEvent       // with EventSMS
	ChangeLog *ChangeLogEvent // with EventChangeLog
	Raw       json.RawMessage // the payload as signed
}

// ErrBadEvent is returned for every delivery that must be refused:
// answer 401 and store nothing.
var ErrBadEvent = errors.New("dialpad: event is not signed as agreed")

// One algorithm only (RFC 8725, 3.1). Times are not checked: Dialpad
// repeats deliveries for hours and does not document exp. Decoding is
// strict: a repeated event must be the same bytes, and loose base64
// allows several spellings of one signature.
var eventParser = jwt.NewParser(
	jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
	jwt.WithStrictDecoding(),
)

// VerifyEvent verifies and decodes a webhook body: a compact JWT
// signed with the webhook's secret (HS256). It refuses plain JSON,
// alg none, other algorithms and an empty secret with ErrBadEvent.
//
// Docs: developers.dialpad.com/docs/event-subscriptions
func VerifyEvent(secret string, body []byte) (Event, error) {
	if secret == "" {
		return Event{}, ErrBadEvent
	}
	claims := new(rawClaims)
	key := func(*jwt.Token) (any, error) { return []byte(secret), nil }
	if _, err := eventParser.ParseWithClaims(string(bytes.TrimSpace(body)), claims, key); err != nil {
		return Event{}, ErrBadEvent
	}
	return decodeEvent(claims.raw), nil
}

// rawClaims keeps the payload's bytes: a map would turn 16-digit ids
// into floats. Its getters return nothing, so no time is checked.
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

func decodeEvent(raw json.RawMessage) Event {
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
	isChange := has("action") && (has("target") || has("changed_by") || has("note") || has("additional_data"))
	hasParty := has("from_number") || has("to_number") || has("to_numbers") || has("contact")
	hasText := has("text") || has("text_content") || has("mms")
	switch {
	case has("message_status"), has("from_number", "to_number"), hasParty && hasText && !isChange:
		event.Kind, event.SMS = EventSMS, decodeSMSEvent(raw)
	case isChange:
		event.Kind, event.ChangeLog = EventChangeLog, decodeChangeLogEvent(raw)
	}
	return event
}

// eventParty is the target or the contact of an event. Either may be
// missing.
type eventParty struct {
	ID     lenientID     `json:"id"`
	Type   lenientString `json:"type"`
	Number lenientNumber `json:"phone_number"`
}

// UnmarshalJSON reads anything but an object as no party.
func (p *eventParty) UnmarshalJSON(b []byte) error {
	type plain eventParty
	var v plain
	if len(b) > 0 && b[0] == '{' {
		_ = json.Unmarshal(b, &v) // lenient fields never fail
	}
	*p = eventParty(v)
	return nil
}
