package handlers

import (
	"context"
	"errors"
	"maps"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/install"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// refusal is an error's answer: a code for programs and a sentence for
// people. The cause is only logged.
type refusal struct {
	status  int
	code    string
	message string
	details map[string]any
	cause   error
}

func (r *refusal) Error() string {
	if r.cause != nil {
		return r.code + ": " + r.cause.Error()
	}
	return r.code
}

func (r *refusal) Unwrap() error { return r.cause }

func refuse(code, message string) *refusal {
	return &refusal{status: statusOf(code), code: code, message: message}
}

func badRequest(message string) *refusal { return refuse("bad_request", message) }

// withDetail returns a copy of r with one more detail.
func (r *refusal) withDetail(key string, value any) *refusal {
	own := *r
	own.details = map[string]any{}
	maps.Copy(own.details, r.details)
	own.details[key] = value
	return &own
}

// withCause returns a copy of r with err as its cause; r may be shared.
func (r *refusal) withCause(err error) *refusal {
	own := *r
	own.cause = err
	return &own
}

// envelope is the JSON of every refusal (contract section 6).
func (r *refusal) envelope() gin.H {
	body := gin.H{"code": r.code, "message": r.message}
	if len(r.details) > 0 {
		body["details"] = r.details
	}
	return gin.H{"error": body}
}

// Refusals with several sources.
var (
	errSessionOver = refuse("session_over", "This page's session is over. Reload it from the CRM.")
	errLaunch      = refuse("launch_refused", "This launch is over or was used before. Open the page again from your CRM.")
	errCtx         = refuse("bad_ctx", "What is to be texted cannot be read. Open the popup again from the record.")
	errNotFound    = refuse("not_found", "There is nothing here.")
	errAdminsOnly  = refuse("admin_required", "Only an admin of your CRM account can do this.")
)

// asRefusal converts any error to the refusal that is answered.
func asRefusal(err error) *refusal {
	var own *refusal
	if errors.As(err, &own) {
		return own
	}
	if r := fromApp(err); r != nil {
		return r
	}
	var crmError *crm.Error
	switch {
	case errors.Is(err, models.ErrNotFound):
		return errNotFound
	case errors.Is(err, access.ErrSession):
		return errSessionOver
	case errors.Is(err, crm.ErrLaunch):
		return errLaunch.withCause(err)
	case errors.Is(err, crm.ErrCtx):
		return errCtx.withCause(err)
	case errors.Is(err, crm.ErrSignature):
		return refuse("bad_signature", "The call is not signed as agreed.").withCause(err)
	case errors.Is(err, dialpad.ErrBadEvent):
		return refuse("bad_signature", "The event is not signed as agreed.")
	case errors.As(err, &crmError) && crmError.Kind != crm.Refused:
		problem := apierror.CRMUnreachable(err)
		return refuse(problem.Code, problem.Message).withCause(err)
	case errors.Is(err, context.Canceled):
		return refuse("cancelled", "The request was given up.").withCause(err)
	case errors.Is(err, context.DeadlineExceeded):
		return refuse("too_slow", "This is taking too long. Try again in a moment.").withCause(err)
	}
	return refuse("internal", "Something went wrong on our side. Try again in a moment.").withCause(err)
}

// fromApp converts errors of the app packages; others give nil.
func fromApp(err error) *refusal {
	var problem *apierror.Error
	if errors.As(err, &problem) {
		return &refusal{statusOf(problem.Code), problem.Code, problem.Message, problem.Details, problem.Err}
	}
	var denied *eligibility.Refusal
	if errors.As(err, &denied) {
		r := refuse(denied.Code, denied.Message).withCause(denied.Cause)
		if denied.Link != nil {
			r = r.withDetail("link", denied.Link)
		}
		if denied.Reason != "" {
			r = r.withDetail("reason", denied.Reason)
		}
		return r
	}
	var settings *install.Invalid
	if errors.As(err, &settings) {
		return refuse("invalid_settings", "Some settings are not valid.").
			withDetail("fields", map[string]string{settings.Field: settings.Message})
	}
	var input *automation.Invalid
	if errors.As(err, &input) {
		return badRequest(input.Message).withDetail("field", input.Field).withCause(err)
	}
	return nil
}
