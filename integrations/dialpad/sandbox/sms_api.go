package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	smsPath       = "/api/v2/sms"
	maxText       = 1500 // characters
	maxRecipients = 10   // numbers per request
)

type smsRequest struct {
	ToNumbers  []string        `json:"to_numbers"`
	Text       string          `json:"text"`
	UserID     json.RawMessage `json:"user_id"` // a number (the schema) or a string
	FromNumber string          `json:"from_number"`
}

// smsAPI serves POST /api/v2/sms.
type smsAPI struct {
	*state
	recorder *Recorder
	feed     *textFeed
	events   *EventSender
}

func (s *smsAPI) send(c *apiRequest) response {
	var in smsRequest
	if json.Unmarshal(c.body, &in) != nil {
		return refuse(http.StatusBadRequest, "Request body is not valid JSON")
	}
	if wait, ok := c.company.texts.allow(c.now, c.company.textsPerMinute); !ok {
		return s.rateLimited(wait)
	}
	if c.company.state != "active" {
		return refuse(http.StatusForbidden, "The company's account is "+c.company.state)
	}
	sender, from, refused := s.sender(c, in)
	if refused != nil {
		return *refused
	}
	if refused := checkText(c.company, in); refused != nil {
		return *refused
	}
	return s.accept(c, sender, from, in)
}

// sender returns the sending user and number. from_number overrides
// user_id.
func (s *smsAPI) sender(c *apiRequest, in smsRequest) (*User, string, *response) {
	no := func(status int, message string) (*User, string, *response) {
		a := refuse(status, message)
		return nil, "", &a
	}
	id := string(bytes.Trim(in.UserID, `"`))
	user := s.users[id]
	if id == "" || id == "null" {
		user = c.user
	}
	if in.FromNumber != "" {
		user = s.userByNumber[in.FromNumber]
	}
	switch {
	case user == nil || user.CompanyID != c.company.id:
		if in.FromNumber != "" {
			return no(http.StatusBadRequest, "from_number is not assigned to a user of this company")
		}
		return no(http.StatusBadRequest, "User not found")
	case user != c.user && !c.user.IsSuperAdmin:
		return no(http.StatusForbidden, "You may not send on behalf of another user")
	case user.State != "active":
		return no(http.StatusBadRequest, "The sender's account is "+user.State)
	case len(user.Numbers) == 0:
		return no(http.StatusBadRequest, "The sender has no phone number")
	case in.FromNumber != "" && !slices.Contains(user.Numbers, in.FromNumber):
		return no(http.StatusBadRequest, "from_number is not assigned to the sender")
	case in.FromNumber != "":
		return user, in.FromNumber, nil
	}
	return user, user.Numbers[0], nil
}

func checkText(c *company, in smsRequest) *response {
	no := func(message string) *response { a := refuse(http.StatusBadRequest, message); return &a }
	switch {
	case len(in.ToNumbers) == 0:
		return no("to_numbers is required")
	case len(in.ToNumbers) > maxRecipients:
		return no("to_numbers may hold 10 numbers at most")
	case strings.TrimSpace(in.Text) == "":
		return no("text is required")
	case len(in.Text) > maxText && utf8.RuneCountInString(in.Text) > maxText:
		return no("text is longer than 1500 characters")
	}
	for _, to := range in.ToNumbers {
		if !isE164(to) {
			return no("Not a valid phone number: " + to)
		}
		if c.isOptedOut(to) {
			return no("The recipient " + to + " has opted out of texts from this company")
		}
	}
	return nil
}

func isE164(s string) bool {
	if len(s) < 8 || len(s) > 16 || s[0] != '+' || s[1] == '0' {
		return false
	}
	for _, r := range s[1:] {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

type smsJSON struct {
	ID            any      `json:"id"`
	MessageStatus string   `json:"message_status"`
	Result        *string  `json:"message_delivery_result"`
	Direction     string   `json:"direction"`
	DeviceType    string   `json:"device_type"`
	FromNumber    string   `json:"from_number"`
	ToNumbers     []string `json:"to_numbers"`
	Text          string   `json:"text"`
	UserID        any      `json:"user_id"`
	TargetID      any      `json:"target_id"`
	TargetType    string   `json:"target_type"`
	CreatedDate   string   `json:"created_date"`
}

// accept records the text. As at Dialpad, several numbers share one id.
func (s *smsAPI) accept(c *apiRequest, sender *User, from string, in smsRequest) response {
	id := s.newID()
	for _, to := range in.ToNumbers {
		t := Text{ID: id, CompanyID: c.company.id, UserID: sender.ID, From: from, To: to, Text: in.Text, At: c.now}
		s.recorder.recordText(t)
		s.feed.add(t)
	}
	answer := smsJSON{
		ID: s.restID(strconv.FormatInt(id, 10)), MessageStatus: "pending", Direction: "outbound", DeviceType: "public_api",
		FromNumber: from, ToNumbers: in.ToNumbers, Text: in.Text, UserID: s.restID(sender.ID), TargetID: s.restID(sender.ID),
		TargetType: "user", CreatedDate: restTime(c.now),
	}
	if result, failed := s.instantFailures[in.ToNumbers[0]]; failed {
		answer.MessageStatus, answer.Result = "failed", &result
		return jsonResponse(answer)
	}
	a := jsonResponse(answer)
	if len(c.company.subscriptions[smsEvents]) > 0 {
		series := s.smsSentEvents(c.company, sender, id, from, in)
		a.sendEvents = func(now bool) { s.events.send(series, now) }
	}
	return a
}
