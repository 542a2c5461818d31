package dialpad

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

const smsPath = "/api/v2/sms"

// SMS is one text to one number. Dialpad takes ten numbers a request,
// but answers with one id and one status for all of them.
type SMS struct {
	UserID     string // the sender
	FromNumber string // E.164, one of the sender's; overrides UserID; "": the primary one
	ToNumber   string // E.164
	Text       string
}

// SMSResult says that Dialpad accepted a text, unless it Failed at once.
// Only an SMSEvent reports delivery: no call reads a text.
type SMSResult struct {
	ID             string // perhaps "" with Failed
	Status         string // open enum: pending, success, failed, …
	DeliveryResult string // open enum, mostly ""
}

// Failed reports whether the answer already says that the text will not
// be delivered.
func (r SMSResult) Failed() bool { return IsFailure(r.Status, r.DeliveryResult) }

// IsFailure reports whether message_status and message_delivery_result,
// of a response or an event, say that a text was not delivered. Both
// enums are open: an unknown word is no failure.
func IsFailure(status, result string) bool {
	switch normalizeWord(result) {
	case "internal_error", "invalid_destination", "invalid_source", "no_route",
		"not_supported", "rejected", "rejected_spam", "time_out":
		return true
	}
	word := normalizeWord(status)
	return word == "failed" || word == "undelivered"
}

func normalizeWord(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

type smsJSON struct {
	UserID     json.Number `json:"user_id,omitempty"`
	FromNumber string      `json:"from_number,omitempty"`
	ToNumbers  [1]string   `json:"to_numbers"`
	Text       string      `json:"text"`
}

// SendSMS posts one text, once. Dialpad has no idempotency key: after
// Lost, do not send again without asking a person.
//
// Errors: NotSent and RateLimited may be retried later; Refused has
// Dialpad's message for the user.
//
// API: POST /api/v2/sms (100 a minute and company, or 800)
func (c *Client) SendSMS(ctx context.Context, token string, sms SMS) (SMSResult, error) {
	if c.smsURL == nil {
		return SMSResult{}, baseURLError()
	}
	if sms.UserID != "" && !isID(sms.UserID) {
		return SMSResult{}, invalidIDError()
	}
	body, err := json.Marshal(smsJSON{
		UserID: json.Number(sms.UserID), FromNumber: sms.FromNumber,
		ToNumbers: [1]string{sms.ToNumber}, Text: sms.Text,
	})
	if err != nil {
		return SMSResult{}, invalidIDError()
	}
	var j struct {
		ID             lenientID     `json:"id"`
		Status         lenientString `json:"message_status"`
		DeliveryResult lenientString `json:"message_delivery_result"`
	}
	if err := c.api.send(ctx, http.MethodPost, token, c.smsURL, body, &j); err != nil {
		return SMSResult{}, err
	}
	result := SMSResult{ID: string(j.ID), Status: string(j.Status), DeliveryResult: string(j.DeliveryResult)}
	if result.ID == "" && !result.Failed() {
		return SMSResult{}, missingIDError()
	}
	return result, nil
}

// isID reports whether s is an id that can be sent as a JSON number:
// Dialpad's schema declares ids as int64.
func isID(s string) bool {
	if s == "" || len(s) > 19 || (s[0] == '0' && len(s) > 1) {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
