package crm

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Kind says what a failed call means to the caller.
type Kind int

const (
	// Unavailable: no answer, or one that says "later" (408, 425, 429, 5xx).
	// Try again; a write with the same id.
	Unavailable Kind = iota + 1
	// Refused: the CRM understood and said no (another 4xx), or was asked for
	// something it cannot do. The same call will be refused again.
	Refused
	// Garbage: an answer that is not the contract's (a page, a redirect, wrong
	// types, records nobody asked for). Nothing of it was used.
	Garbage
)

// String names the kind as logs and metrics want it.
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

// Error is a call that failed. Status is the HTTP status, 0 without an answer;
// RetryAfter is what the CRM asked for, 0 where it asked for nothing. It
// holds no number, text or secret.
type Error struct {
	Kind       Kind
	Type       string
	Status     int
	RetryAfter time.Duration
	Err        error
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

// KindOf is the Kind of err's *Error, or 0 when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

// unanswered is a request without a response; the address is left out, which
// url.Error would repeat.
func unanswered(callType string, err error) *Error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return &Error{Kind: Unavailable, Type: callType, Err: err}
}

// refusal turns a status other than 2xx into an error.
func refusal(callType string, resp *http.Response, now time.Time) *Error {
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

// retryAfter reads RFC 9110, 10.2.3: seconds or an HTTP date.
func retryAfter(v string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
