package handlers

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

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

// refusal is an answer other than the one that was asked for: a status and a code for programs, a sentence for the
// person, the cause for the operator's log alone.
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

func refuse(status int, code, message string) *refusal {
	return &refusal{status: status, code: code, message: message}
}

func badRequest(message string) *refusal {
	return refuse(http.StatusBadRequest, "bad_request", message)
}

func (r *refusal) with(key string, value any) *refusal {
	if r.details == nil {
		r.details = map[string]any{}
	}
	r.details[key] = value
	return r
}

// saying is because for a refusal that is shared.
func (r *refusal) saying(err error) *refusal {
	own := *r
	return own.because(err)
}

func (r *refusal) because(err error) *refusal {
	r.cause = err
	return r
}

// statuses is the one place that gives an app's code its status. A code that is not here is one that nobody thought
// of: 500.
var statuses = map[string]int{
	"bad_request": http.StatusBadRequest,

	"admin_required": http.StatusForbidden,
	"forbidden":      http.StatusForbidden,
	"record_refused": http.StatusForbidden,

	"not_found": http.StatusNotFound,
	"missing":   http.StatusNotFound,

	"idempotency_conflict": http.StatusConflict,
	"time_ambiguous":       http.StatusConflict,
	"quiet_hours":          http.StatusConflict,
	"time_missing":         http.StatusConflict,
	"state_conflict":       http.StatusConflict,
	"confirm_required":     http.StatusConflict,

	"time_past":        http.StatusUnprocessableEntity,
	"time_too_far":     http.StatusUnprocessableEntity,
	"opted_out":        http.StatusUnprocessableEntity,
	"no_number":        http.StatusUnprocessableEntity,
	"invalid_number":   http.StatusUnprocessableEntity,
	"unknown_field":    http.StatusUnprocessableEntity,
	"empty_field":      http.StatusUnprocessableEntity,
	"too_long":         http.StatusUnprocessableEntity,
	"empty_message":    http.StatusUnprocessableEntity,
	"template_invalid": http.StatusUnprocessableEntity,
	"braces_in_value":  http.StatusUnprocessableEntity,
	"duplicate":        http.StatusUnprocessableEntity,
	"left_out":         http.StatusUnprocessableEntity,

	"crm_unreachable": http.StatusServiceUnavailable,

	eligibility.CodePlan:        http.StatusPaymentRequired,
	eligibility.CodeInstall:     http.StatusConflict,
	eligibility.CodeConnect:     http.StatusConflict,
	eligibility.CodeNoAccount:   http.StatusForbidden,
	eligibility.CodeNoAccounts:  http.StatusForbidden,
	eligibility.CodeUnreachable: http.StatusServiceUnavailable,
}

func statusOf(code string) int {
	if status, known := statuses[code]; known {
		return status
	}
	return http.StatusInternalServerError
}

// statusGone is nginx's word for a caller who hung up; nobody reads it but logs and metrics.
const statusGone = 499

// words of refusals that have several sources.
var (
	errSessionOver = refuse(http.StatusUnauthorized, "session_over", "This page's session is over. Reload it from the CRM.")
	errLaunch      = refuse(http.StatusUnauthorized, "launch_refused", "This launch is over or was used before. Open the page again from your CRM.")
	errCtx         = refuse(http.StatusBadRequest, "bad_ctx", "What is to be texted cannot be read. Open the popup again from the record.")
	errNotFound    = refuse(http.StatusNotFound, "not_found", "There is nothing here.")
	errAdminsOnly  = refuse(http.StatusForbidden, "admin_required", "Only an admin of your CRM account can do this.")
)

// asRefusal maps any error of the floors below to what is answered.
func asRefusal(err error) *refusal {
	var own *refusal
	if errors.As(err, &own) {
		return own
	}
	if r := fromApp(err); r != nil {
		return r
	}
	var tooLarge *http.MaxBytesError
	var crmError *crm.Error
	switch {
	case errors.As(err, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "too_large", "The request is too large.")
	case errors.Is(err, models.ErrNotFound):
		return errNotFound
	case errors.Is(err, access.ErrSession):
		return errSessionOver
	case errors.Is(err, crm.ErrLaunch):
		return errLaunch.saying(err)
	case errors.Is(err, crm.ErrCtx):
		return errCtx.saying(err)
	case errors.Is(err, crm.ErrSignature):
		return refuse(http.StatusUnauthorized, "bad_signature", "The call is not signed as agreed.").because(err)
	case errors.Is(err, dialpad.ErrBadEvent):
		return refuse(http.StatusUnauthorized, "bad_signature", "The event is not signed as agreed.")
	case errors.As(err, &crmError) && crmError.Kind == crm.Unavailable:
		return refuse(http.StatusServiceUnavailable, apierror.CodeCRMUnreachable, apierror.CRMUnreachableMessage).because(err)
	case errors.Is(err, context.Canceled):
		return refuse(statusGone, "cancelled", "The request was given up.").because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusServiceUnavailable, "too_slow", "This is taking too long. Try again in a moment.").because(err)
	}
	return refuse(http.StatusInternalServerError, "internal", "Something went wrong on our side. Try again in a moment.").because(err)
}

func fromApp(err error) *refusal {
	var problem *apierror.Error
	if errors.As(err, &problem) {
		return &refusal{statusOf(problem.Code), problem.Code, problem.Message, problem.Details, problem.Err}
	}
	var no *eligibility.Refusal
	if errors.As(err, &no) {
		r := &refusal{status: statusOf(no.Code), code: no.Code, message: no.Message, cause: no.Cause}
		if no.Link != nil {
			r.with("link", no.Link)
		}
		if no.Reason != "" {
			r.with("reason", no.Reason)
		}
		return r
	}
	var invalid *install.Invalid
	if errors.As(err, &invalid) {
		return refuse(http.StatusUnprocessableEntity, "invalid_settings", "Some settings are not valid.").
			with("fields", map[string]string{invalid.Field: invalid.Message})
	}
	var unread *automation.Invalid
	if errors.As(err, &unread) {
		return badRequest(unread.Message).with("field", unread.Field).because(err)
	}
	return nil
}

// envelope is how every refusal looks to a program, contract section 6.
func (r *refusal) envelope() gin.H {
	body := gin.H{"code": r.code, "message": r.message}
	if len(r.details) > 0 {
		body["details"] = r.details
	}
	return gin.H{"error": body}
}

// note writes the cause where the operator finds it beside the request.
func (s *server) note(c *gin.Context, r *refusal) {
	level := slog.LevelDebug
	if r.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	s.Log.LogAttrs(c.Request.Context(), level, "request refused", slog.String("request", requestID(c)),
		slog.String("route", c.FullPath()), slog.Int("status", r.status), slog.String("code", r.code), slog.Any("cause", r.cause))
}
