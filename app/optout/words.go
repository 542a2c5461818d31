package optout

import "strings"

// What an inbound text asks for, as stored with its event.
const (
	WordStop  = "stop"
	WordStart = "start"
)

// Word returns WordStop or WordStart for a text that consists of one of
// the words carriers agree on (CTIA Messaging Principles, 5.1.3), else
// "".
func Word(text string) string {
	switch strings.ToUpper(strings.TrimSpace(text)) {
	case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT":
		return WordStop
	case "START", "UNSTOP", "YES":
		return WordStart
	}
	return ""
}
