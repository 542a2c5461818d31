package crm

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Kind says what a failed call means for the caller.
type Kind int

const (
	// Unavailable: no answer, or 408, 425, 429 or 5xx. Retry; a write
	// with the same id.
	Unavailable Kind = iota + 1
	// Refused: another 4xx, or a call that the contract does not allow.
	// Do not retry.
	Refused
	// Garbage: an answer against the contract (HTML, a redirect, wrong
	// types, other records). None of it was used.
	Garbage
)

// String returns the name for logs and metrics.
func (k Kind) String() string {
	switch k {
	case Unavailable:
		return "unavailable"
	case Refused:
		return "refused"
	case Garbage:
		return "garbage"
	}
	return "unknown"
}

// Error is a failed call. It holds no number, text or secret.
type Error struct {
	Kind       Kind
	Type       string        // of the call: records.resolve, …
	Status     int           // HTTP status; 0 without an answer
	RetryAfter time.Duration // from Retry-After; 0 without one
	Err        error         // cause, may be nil
}

func (e *Error) Error() string {
	text := "crm: " + e.Type + " " + e.Kind.String()
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the Kind of err's *Error, or 0 without one.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

// transportError is for a call without a response. It leaves out the
// URL, which url.Error repeats.
func transportError(callType string, err error) *Error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return &Error{Kind: Unavailable, Type: callType, Err: err}
}

// garbage is for a 2xx answer against the contract.
func garbage(callType string, status int, err error) *Error {
	return &Error{Kind: Garbage, Type: callType, Status: status, Err: err}
}

// statusError is for a response outside 2xx.
func statusError(callType string, resp *http.Response, now time.Time) *Error {
	e := &Error{Type: callType, Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now)}
	switch code := resp.StatusCode; {
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		e.Kind = Unavailable
	case code >= 400:
		e.Kind = Refused
	default:
		e.Kind, e.Err = Garbage, errors.New("redirects are not followed")
	}
	return e
}

// retryAfter parses Retry-After (RFC 9110, 10.2.3): seconds or an HTTP
// date.
func retryAfter(v string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
