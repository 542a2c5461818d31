package dialpad

import (
	"context"
	"encoding/json"
	"net/http"
)

// SMS is one text to one number. Dialpad takes ten numbers a request, but answers with one id and one status for all.
type SMS struct {
	UserID     string // the sender
	FromNumber string // one of the sender's own numbers, E.164; "" = the sender's primary. It overrides UserID at Dialpad
	ToNumber   string // E.164
	Text       string
}

// SMSResult is Dialpad's answer: accepted, not delivered. How it went comes by SMSEvent only; no call reads a text back.
type SMSResult struct {
	ID             string
	Status         string // open enum: pending, success, failed, …
	DeliveryResult string // open enum, mostly ""
}

type smsJSON struct {
	UserID     json.Number `json:"user_id,omitempty"`
	FromNumber string      `json:"from_number,omitempty"`
	ToNumbers  [1]string   `json:"to_numbers"`
	Text       string      `json:"text"`
}

// SendSMS posts one text (POST /api/v2/sms), once. Dialpad knows no idempotency key: after Lost nobody may send again
// by themselves. NotSent and RateLimited may be tried later; Refused carries Dialpad's words for the person.
func (c *Client) SendSMS(ctx context.Context, token string, sms SMS) (SMSResult, error) {
	if c.smsURL == nil {
		return SMSResult{}, errBaseURL()
	}
	if sms.UserID != "" && !isID(sms.UserID) {
		return SMSResult{}, &Error{Kind: Refused, Err: errNotAnID}
	}
	body, err := json.Marshal(smsJSON{UserID: json.Number(sms.UserID), FromNumber: sms.FromNumber, ToNumbers: [1]string{sms.ToNumber}, Text: sms.Text})
	if err != nil {
		return SMSResult{}, &Error{Kind: Refused, Err: errNotAnID}
	}
	var j struct {
		ID             looseText `json:"id"`
		Status         looseText `json:"message_status"`
		DeliveryResult looseText `json:"message_delivery_result"`
	}
	if err := c.send(ctx, http.MethodPost, token, c.smsURL, body, &j); err != nil {
		return SMSResult{}, err
	}
	if j.ID == "" {
		return SMSResult{}, noID()
	}
	return SMSResult{ID: string(j.ID), Status: string(j.Status), DeliveryResult: string(j.DeliveryResult)}, nil
}

// isID: ids are int64 in Dialpad's schema, and leave here as JSON numbers.
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
