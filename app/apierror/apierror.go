// Package apierror is a refusal in the API's shape: a code for
// programs, a sentence for the person and the cause for the operator.
package apierror

import (
	"errors"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// Codes that several packages return or check.
const (
	CodeBadRequest     = "bad_request"
	CodeNotFound       = "not_found"
	CodeStateConflict  = "state_conflict"
	CodeCRMUnreachable = "crm_unreachable"
)

// Sentences that several packages answer with.
const (
	CRMUnreachableMessage = "Salesmate is not answering. Try again in a few minutes."
	CRMUnreadableMessage  = "Salesmate's answer can't be read. Try again in a few minutes; if it stays so, tell whoever runs this app."
	noRecordsMessage      = "This page is about nobody: open the popup from a record."
)

// DetailRetryAfter is the detail that says after how many seconds the same
// request may pass.
const DetailRetryAfter = "retry_after"

// Error is a refusal. Err is nil where there is no other cause.
type Error struct {
	Code    string
	Message string
	Details map[string]any
	Err     error
}

// Error returns the code and the cause, for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Code + ": " + e.Err.Error()
	}
	return e.Code
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns a refusal without a cause.
func New(code, message string) *Error { return &Error{Code: code, Message: message} }

// Field refuses the value of one field of the request.
func Field(field, message string) *Error {
	return &Error{Code: CodeBadRequest, Message: message, Details: map[string]any{"field": field}}
}

// Conflict refuses a change that the present state does not allow.
func Conflict(message string) *Error { return New(CodeStateConflict, message) }

// NoRecords refuses what only a popup can ask: the session names no
// records.
func NoRecords() *Error { return New(CodeBadRequest, noRecordsMessage) }

// CRMUnreachable is for a CRM that did not answer, or not as the
// contract says. The sentence tells which.
func CRMUnreachable(cause error) *Error {
	e := &Error{Code: CodeCRMUnreachable, Message: CRMUnreachableMessage, Err: cause}
	if crm.KindOf(cause) == crm.Garbage {
		e.Message = CRMUnreadableMessage
	}
	return e
}

// NotFound turns the store's "not found" into a refusal; other errors
// pass.
func NotFound(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return New(CodeNotFound, "There is no such text.")
	}
	return err
}

// Lost turns a lost race for a row into a conflict with this message;
// other errors pass.
func Lost(err error, message string) error {
	if errors.Is(err, models.ErrLost) {
		return Conflict(message)
	}
	return err
}

// IgnoreNotFound returns nil where the store found nothing.
func IgnoreNotFound(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	return err
}

// IgnoreLost returns nil where another process changed the row first.
func IgnoreLost(err error) error {
	if errors.Is(err, models.ErrLost) {
		return nil
	}
	return err
}

// Text turns an error of package compose into a refusal that names the
// field and the place in the text; other errors pass.
func Text(err error) error {
	var r compose.Reason
	if !errors.As(err, &r) {
		return err
	}
	e := &Error{Code: r.Code(), Message: r.Sentence(), Err: err, Details: map[string]any{}}
	var unknown *compose.UnknownFieldError
	if errors.As(err, &unknown) {
		e.Details["field"], e.Details["offset"] = unknown.Field, unknown.Offset
	}
	var parse *compose.ParseError
	if errors.As(err, &parse) {
		e.Details["offset"] = parse.Offset
	}
	return e
}
