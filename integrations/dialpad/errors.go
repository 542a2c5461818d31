package dialpad

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind says what a failed call means for the caller.
type Kind string

const (
	Unauthorized Kind = "unauthorized"  // 401: the access token is no longer good
	RateLimited  Kind = "rate_limited"  // 429, or a 403 that speaks of rate, limit or quota: not accepted, later
	Forbidden    Kind = "forbidden"     // 403
	NotFound     Kind = "not_found"     // 404
	Refused      Kind = "refused"       // other 4xx: final, Message holds Dialpad's words
	NotSent      Kind = "not_sent"      // surely not accepted: nothing left this machine, or 503 with Retry-After
	Lost         Kind = "lost"          // the request may have been accepted, and we don't know
	Unavailable  Kind = "unavailable"   // a GET or DELETE that brought no usable answer: may be repeated
	InvalidGrant Kind = "invalid_grant" // token endpoint: the code or refresh token is not (or no longer) good
)

// ErrInvalidGrant matches, with errors.Is, every *Error of Kind InvalidGrant.
var ErrInvalidGrant = errors.New("dialpad: invalid grant")

// Error is the only error type that calls return.
type Error struct {
	Kind       Kind
	Status     int           // HTTP status; 0 when there was no answer
	Message    string        // Dialpad's own words, verbatim, for the person; may name a number, so not for logs; may be ""
	RetryAfter time.Duration // what Dialpad asked for; 0 = it did not say
	Err        error         // cause, for the operator; holds no token, number or text; may be nil
}

// Error is for logs: kind, status and cause, never Message.
func (e *Error) Error() string {
	s := "dialpad: " + string(e.Kind)
	if e.Status != 0 {
		s += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrInvalidGrant) work.
func (e *Error) Is(target error) bool { return target == ErrInvalidGrant && e.Kind == InvalidGrant }

// KindOf is the Kind of err's *Error, or "" when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// noAnswer is the error of a call whose round trip or body failed.
func noAnswer(repeatable bool, err error) *Error {
	var rt *roundTripError
	switch {
	case repeatable:
		return &Error{Kind: Unavailable, Err: err}
	case errors.As(err, &rt) && !rt.written:
		return &Error{Kind: NotSent, Err: err}
	}
	return &Error{Kind: Lost, Err: err}
}

// badStatus is the error of an answer outside 2xx.
func badStatus(repeatable bool, status int, h http.Header, body []byte, now time.Time) *Error {
	e := &Error{Status: status, Message: message(body), RetryAfter: retryAfter(h.Get("Retry-After"), now)}
	switch {
	case status >= 400 && strings.Contains(e.Message, "rate_limit_exceeded"),
		status == http.StatusTooManyRequests,
		status == http.StatusForbidden && speaksOfRate(e.Message, body):
		e.Kind = RateLimited
	case status == http.StatusUnauthorized:
		e.Kind = Unauthorized
	case status == http.StatusForbidden:
		e.Kind = Forbidden
	case status == http.StatusNotFound:
		e.Kind = NotFound
	case status >= 400 && status < 500:
		e.Kind = Refused
	case repeatable:
		e.Kind = Unavailable
	case status == http.StatusServiceUnavailable && h.Get("Retry-After") != "":
		e.Kind = NotSent
	default: // other 5xx; a redirect that was not followed may come after the work was done
		e.Kind = Lost
	}
	return e
}

// Whole words, since "corporate" holds a "rate" and "unlimited" a "limit".
var rateWords = regexp.MustCompile(`(?i)(^|[^a-z])(rates?|limit|limits|limited|limiting|quotas?)([^a-z]|$)`)

func speaksOfRate(message string, body []byte) bool {
	if message != "" {
		return rateWords.MatchString(message)
	}
	return rateWords.Match(body)
}

// retryAfter reads both forms of RFC 9110 10.2.3: seconds and an HTTP date.
func retryAfter(v string, now time.Time) time.Duration {
	if v == "" {
		return 0
	}
	if s, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
		return min(max(0, time.Duration(s)*time.Second), 24*time.Hour)
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(0, t.Sub(now)), 24*time.Hour)
	}
	return 0
}

const maxMessage = 1000 // bytes of Dialpad's words that we carry

// message finds the words in an error's body. The documented-by-others shape is
// {"error":{"code":4xx,"message":"…","errors":[{"message":"…"}]}}; strings, RFC 6749 errors and plain text occur too.
// HTML gives "".
func message(body []byte) string {
	var shape struct {
		Error       json.RawMessage `json:"error"`
		Description looseText       `json:"error_description"`
		Message     looseText       `json:"message"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return clip(plainText(body))
	}
	var inner struct {
		Message looseText `json:"message"`
		Errors  []struct {
			Message looseText `json:"message"`
		} `json:"errors"`
	}
	_ = json.Unmarshal(shape.Error, &inner) // not an object: looked at below
	var word looseText
	_ = json.Unmarshal(shape.Error, &word)
	found := string(inner.Message)
	for i := 0; found == "" && i < len(inner.Errors); i++ {
		found = string(inner.Errors[i].Message)
	}
	return clip(firstOf(found, string(shape.Description), string(shape.Message), string(word)))
}

func plainText(body []byte) string {
	s := strings.TrimSpace(string(body))
	if !utf8.ValidString(s) || strings.HasPrefix(s, "<") || strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
		return ""
	}
	return s
}

func clip(s string) string {
	s = strings.ReplaceAll(s, "\x00", "") // Postgres keeps no NUL in a text
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "")
}

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
