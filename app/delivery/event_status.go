package delivery

import (
	"cmp"
	"strings"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models/ledger"
)

// messageState maps an event's message_status and message_delivery_result to a
// message's state. Both enums are open, and REST answers and events use
// different words (dialpad-api.md, 3). Unknown words give "".
func messageState(status, result string) string {
	if dialpad.IsFailure(status, result) {
		return ledger.Undelivered
	}
	switch strings.ToLower(status) {
	case "pending", "sent", "accepted", "queued":
		return ledger.Sent
	case "success", "delivered":
		return ledger.Delivered
	}
	return ""
}

// resultCode is the raw value that is kept beside resultText.
func resultCode(status, result string) string {
	return strings.ToLower(strings.TrimSpace(cmp.Or(result, status)))
}

// resultText explains a message_delivery_result in one plain sentence.
func resultText(result string) string {
	switch strings.ToLower(strings.TrimSpace(result)) {
	case "invalid_destination":
		return "This number can't receive texts: it may be a landline or not exist"
	case "invalid_source":
		return "The sender's Dialpad number can't send texts"
	case "no_route":
		return "No carrier takes texts to this number"
	case "not_supported":
		return "Texts to this kind of number or country are not supported"
	case "rejected":
		return "The carrier refused this text; the person may have opted out"
	case "rejected_spam":
		return "The carrier took this text for spam"
	case "time_out":
		return "The carrier did not answer in time; the text was not delivered"
	case "internal_error":
		return "Dialpad could not deliver this text"
	}
	return "Dialpad reported that this text was not delivered"
}
