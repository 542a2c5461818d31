package handlers

import (
	"net/http"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/eligibility"
)

// statusClientClosed is nginx's status for a client that hung up;
// it appears in logs and metrics only.
const statusClientClosed = 499

// statuses maps every error code to its HTTP status.
var statuses = map[string]int{
	"bad_request":        http.StatusBadRequest,
	"bad_ctx":            http.StatusBadRequest,
	"method_not_allowed": http.StatusMethodNotAllowed,

	"session_over":           http.StatusUnauthorized,
	"launch_refused":         http.StatusUnauthorized,
	"bad_signature":          http.StatusUnauthorized,
	"metrics_token_required": http.StatusUnauthorized,

	"admin_required": http.StatusForbidden,
	"forbidden":      http.StatusForbidden,
	"record_refused": http.StatusForbidden,
	"cross_origin":   http.StatusForbidden,

	"not_found": http.StatusNotFound,
	"missing":   http.StatusNotFound,

	"idempotency_conflict": http.StatusConflict,
	"time_ambiguous":       http.StatusConflict,
	"time_missing":         http.StatusConflict,
	"state_conflict":       http.StatusConflict,
	"confirm_required":     http.StatusConflict,
	"webhook_id_conflict":  http.StatusConflict,

	"body_timeout":           http.StatusRequestTimeout,
	"too_many_failures":      http.StatusTooManyRequests,
	batch.CodeHourlyLimit:    http.StatusTooManyRequests,
	"busy":                   http.StatusServiceUnavailable,
	"too_large":              http.StatusRequestEntityTooLarge,
	"unsupported_media_type": http.StatusUnsupportedMediaType,

	"time_past":         http.StatusUnprocessableEntity,
	"time_too_far":      http.StatusUnprocessableEntity,
	"opted_out":         http.StatusUnprocessableEntity,
	"no_contact":        http.StatusUnprocessableEntity,
	"no_number":         http.StatusUnprocessableEntity,
	"invalid_number":    http.StatusUnprocessableEntity,
	"unknown_field":     http.StatusUnprocessableEntity,
	"empty_field":       http.StatusUnprocessableEntity,
	"too_long":          http.StatusUnprocessableEntity,
	"empty_message":     http.StatusUnprocessableEntity,
	"template_invalid":  http.StatusUnprocessableEntity,
	"braces_in_value":   http.StatusUnprocessableEntity,
	"duplicate":         http.StatusUnprocessableEntity,
	"left_out":          http.StatusUnprocessableEntity,
	"quiet_hours":       http.StatusConflict,
	"record_unreadable": http.StatusUnprocessableEntity,
	"unfilled_gap":      http.StatusUnprocessableEntity,
	"invalid_settings":  http.StatusUnprocessableEntity,

	"cancelled": statusClientClosed,

	apierror.CodeCRMUnreachable: http.StatusServiceUnavailable,
	"too_slow":                  http.StatusServiceUnavailable,

	eligibility.CodePlan:        http.StatusPaymentRequired,
	eligibility.CodeInstall:     http.StatusConflict,
	eligibility.CodeConnect:     http.StatusConflict,
	eligibility.CodeNoAccount:   http.StatusForbidden,
	eligibility.CodeNoAccounts:  http.StatusForbidden,
	eligibility.CodeUnreachable: http.StatusServiceUnavailable,
}

// statusOf is 500 for an unknown code.
func statusOf(code string) int {
	if status, known := statuses[code]; known {
		return status
	}
	return http.StatusInternalServerError
}
