package dialpad

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

const maxMessage = 1000 // bytes of Error.Message

// errorMessage finds the text in an error response. Dialpad documents
// no error shape; integrators report
// {"error":{"code":4xx,"message":"…","errors":[{"message":"…"}]}}.
// Plain strings, RFC 6749 errors and plain text occur as well.
// HTML gives "".
func errorMessage(body []byte) string {
	var shape struct {
		Error       json.RawMessage `json:"error"`
		Description lenientString   `json:"error_description"`
		Message     lenientString   `json:"message"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return truncate(plainText(body))
	}
	var inner struct {
		Message lenientString `json:"message"`
		Errors  []struct {
			Message lenientString `json:"message"`
		} `json:"errors"`
	}
	_ = json.Unmarshal(shape.Error, &inner) // a string is read below
	var code lenientString
	_ = json.Unmarshal(shape.Error, &code)
	found := inner.Message
	for i := 0; found == "" && i < len(inner.Errors); i++ {
		found = inner.Errors[i].Message
	}
	return truncate(string(cmp.Or(found, shape.Description, shape.Message, code)))
}

func plainText(body []byte) string {
	s := strings.TrimSpace(string(body))
	if !utf8.ValidString(s) || strings.HasPrefix(s, "<") || strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
		return ""
	}
	return s
}

func truncate(s string) string {
	s = strings.ReplaceAll(s, "\x00", "") // Postgres stores no NUL
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "")
}
