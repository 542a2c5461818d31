package dialpad

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Kind says what a failed call means for the caller.
type Kind string

const (
	Unauthorized Kind = "unauthorized"  // 401: the access token is no longer valid
	RateLimited  Kind = "rate_limited"  // 429, or a 403 about a rate limit: not accepted, retry later
	Forbidden    Kind = "forbidden"     // 403
	NotFound     Kind = "not_found"     // 404
	Refused      Kind = "refused"       // other 4xx: final, Message has Dialpad's words
	NotSent      Kind = "not_sent"      // certainly not accepted: nothing was written, or 503 with Retry-After
	Lost         Kind = "lost"          // the response was lost: the request may have been accepted
	Unavailable  Kind = "unavailable"   // a GET or DELETE without a usable response: may be retried
	InvalidGrant Kind = "invalid_grant" // the code or refresh token is not (or no longer) valid
)

// ErrInvalidGrant matches, with errors.Is, every *Error of Kind
// InvalidGrant (RFC 6749, 5.2).
var ErrInvalidGrant = errors.New("dialpad: invalid grant")

// Error is the only error type that calls return.
type Error struct {
	Kind   Kind
	Status int // HTTP status; 0 without a response

	// Message is Dialpad's text, verbatim, to show to the user. It may
	// hold a phone number: do not log it. It may be "".
	Message string

	RetryAfter time.Duration // from Retry-After; 0 without one, at most 24 h

	// Err is the cause, for logs. It holds no token, number or text.
	Err error
}

// Error returns kind, status and cause for logs, never Message.
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

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is ErrInvalidGrant and e of that kind.
func (e *Error) Is(target error) bool { return target == ErrInvalidGrant && e.Kind == InvalidGrant }

// KindOf returns the Kind of err's *Error, or "" without one.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// baseURLError leaves out url.Parse's error, which quotes the URL and
// with it perhaps an e-mail address.
func baseURLError() error { return &Error{Kind: NotSent, Err: errBaseURL} }

func invalidIDError() error { return &Error{Kind: Refused, Err: errInvalidID} }

// missingIDError is for a 2xx answer to a POST without an id. The
// request was probably accepted, but nothing can refer to the result.
func missingIDError() error { return &Error{Kind: Lost, Status: http.StatusOK, Err: errNoID} }

// transportError is for a failed round trip or response body.
func transportError(idempotent bool, err error) *Error {
	var rt *roundTripError
	switch {
	case idempotent:
		return &Error{Kind: Unavailable, Err: err}
	case errors.As(err, &rt) && !rt.written:
		return &Error{Kind: NotSent, Err: err}
	}
	return &Error{Kind: Lost, Err: err}
}

// statusError is for a response outside 2xx.
func statusError(idempotent bool, status int, h http.Header, body []byte, now time.Time) *Error {
	e := &Error{Status: status, Message: errorMessage(body), RetryAfter: retryAfter(h.Get("Retry-After"), now)}
	switch {
	case status >= 400 && strings.Contains(e.Message, "rate_limit_exceeded"),
		status == http.StatusTooManyRequests,
		status == http.StatusForbidden && mentionsRateLimit(e.Message, body):
		e.Kind = RateLimited
	case status == http.StatusUnauthorized:
		e.Kind = Unauthorized
	case status == http.StatusForbidden:
		e.Kind = Forbidden
	case status == http.StatusNotFound:
		e.Kind = NotFound
	case status >= 400 && status < 500:
		e.Kind = Refused
	case idempotent:
		e.Kind = Unavailable
	case status == http.StatusServiceUnavailable && h.Get("Retry-After") != "":
		e.Kind = NotSent
	default: // other 5xx; a redirect may follow work that was done
		e.Kind = Lost
	}
	return e
}

// Whole words: "corporate" contains "rate", "unlimited" "limit".
var rateLimitWords = regexp.MustCompile(`(?i)(^|[^a-z])(rates?|limit|limits|limited|limiting|quotas?)([^a-z]|$)`)

func mentionsRateLimit(message string, body []byte) bool {
	if message != "" {
		return rateLimitWords.MatchString(message)
	}
	return rateLimitWords.Match(body)
}

// retryAfter parses Retry-After (RFC 9110, 10.2.3): seconds or an HTTP
// date. The result is 0 to 24 hours.
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
