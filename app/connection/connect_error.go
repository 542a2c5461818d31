package connection

import (
	"fmt"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// Codes of an attempt that failed, for the app page. An attempt may also end
// with a code of an eligibility.Refusal.
const (
	CodeExpired = "expired"

	codeCancelled     = "cancelled"
	codeRefused       = "refused"
	codeNotAdmin      = "not_admin"
	codeNoCRMAdmin    = "admin_required"
	codeCompanyTaken  = "company_taken"
	codeOtherBrowser  = "other_browser"
	codeMisconfigured = "misconfigured"
	codeUnreachable   = eligibility.CodeUnreachable
)

// AbandonedMessage is shown for an attempt that expired before Dialpad
// answered.
const AbandonedMessage = "The Dialpad window was closed or left open for too long. Press Connect again."

const (
	titleNotConnected   = "Dialpad is not connected"
	tryAgain            = "Press Connect to try again."
	staleMessage        = "This window is over: it was used before, waited for more than 10 minutes, or a newer one was opened. " + tryAgain
	misconfigured       = "Dialpad does not accept this app as it is set up. Whoever runs it has to look after that; nothing was connected."
	disconnectedMessage = "Dialpad was disconnected meanwhile." // of an attempt that a disconnect ended
)

// ConnectError is why a connect stops: the result that the person reads, a
// code for the page, the cause for the operator.
type ConnectError struct {
	Result
	Code  string
	Cause error
}

// Error returns code and cause, for logs.
func (e *ConnectError) Error() string {
	if e.Cause == nil {
		return "connect window: " + e.Code
	}
	return "connect window: " + e.Code + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Cause }

func newConnectError(code string, cause error, message string) *ConnectError {
	return &ConnectError{Code: code, Cause: cause, Result: Result{Title: titleNotConnected, Message: message}}
}

// withLink adds the way back to the tenant's app page.
func (c *Connector) withLink(t models.Tenant, e *ConnectError) *ConnectError {
	if url := c.eligible.AppPage(t.Linkname); url != "" && t.Linkname != "" {
		e.Link = &eligibility.Link{Text: "Back to the Dialpad page", URL: url}
	}
	return e
}

// success is the result of a tenant that is connected; company may be "".
func (c *Connector) success(t models.Tenant, company string) Result {
	message := fmt.Sprintf("%s is connected to Dialpad. You can close this window.", t.Name)
	if company != "" {
		message = fmt.Sprintf("%s is connected to %s in Dialpad. You can close this window.", t.Name, company)
	}
	return c.withLink(t, &ConnectError{Result: Result{Done: true, Title: "Dialpad is connected", Message: message}}).Result
}

// unknownResult is for a ticket or state that names no tenant, so it has no
// link.
var unknownResult = Result{Title: titleNotConnected, Message: staleMessage}

func errStale(cause error) *ConnectError { return newConnectError(CodeExpired, cause, staleMessage) }

func errConfirmExpired() *ConnectError {
	return newConnectError(CodeExpired, nil, "Nobody confirmed the connection in time, so nothing was connected. "+tryAgain)
}

func errOtherBrowser() *ConnectError {
	return newConnectError(codeOtherBrowser, nil, "Dialpad's answer came back in another browser than the one this began in, so nothing was connected. "+
		"Press Connect and stay in that browser.")
}

// errConsentRefused is for a callback without a code. Dialpad does not
// document what it sends then; RFC 6749 section 4.1.2.1 names these errors.
func errConsentRefused(oauthError string) *ConnectError {
	switch oauthError {
	case "server_error", "temporarily_unavailable":
		return newConnectError(codeUnreachable, nil, eligibility.UnreachableMessage)
	case "invalid_scope", "unauthorized_client", "invalid_request", "unsupported_response_type":
		return newConnectError(codeMisconfigured, fmt.Errorf("the consent page answered %s", oauthError), misconfigured)
	}
	return newConnectError(codeRefused, nil, "Access was not allowed in Dialpad, so nothing was connected. "+tryAgain)
}

// errExchange is for a code that Dialpad did not exchange for tokens.
func errExchange(err error) *ConnectError {
	switch dialpad.KindOf(err) {
	case dialpad.InvalidGrant:
		return newConnectError(CodeExpired, err, "Dialpad's answer was not valid any more when it got here. "+tryAgain)
	case dialpad.Unauthorized, dialpad.Forbidden, dialpad.Refused, dialpad.NotFound:
		return newConnectError(codeMisconfigured, err, misconfigured)
	}
	return newConnectError(codeUnreachable, err, eligibility.UnreachableMessage)
}

// errAfterExchange is for a first request that fails with the new token.
func errAfterExchange(err error) *ConnectError {
	switch dialpad.KindOf(err) {
	case dialpad.Unauthorized, dialpad.Forbidden:
		return newConnectError(codeRefused, err, "Dialpad took the access back at once: the app may be switched off for your company there. "+tryAgain)
	}
	return newConnectError(codeUnreachable, err, eligibility.UnreachableMessage)
}

func errNotAdmin(email string) *ConnectError {
	return newConnectError(codeNotAdmin, nil, fmt.Sprintf("%s isn't a Dialpad company admin. Ask a company admin of your Dialpad company to "+
		"press Connect, or log in to Dialpad as one.", email))
}

func errCompanyTaken(company string) *ConnectError {
	return newConnectError(codeCompanyTaken, nil, fmt.Sprintf("The Dialpad company %s is connected to another account already. It has to be "+
		"disconnected there before it can be connected here.", company))
}

// errNoLongerEligible is for a tenant that lost plan or app meanwhile.
func errNoLongerEligible(r *eligibility.Refusal) *ConnectError {
	if r.Code == eligibility.CodePlan {
		return newConnectError(r.Code, nil, "Your plan does not include Dialpad any more, so nothing was connected. Upgrade, then connect again.")
	}
	return newConnectError(r.Code, nil, "The Dialpad app was removed meanwhile, so nothing was connected. Install it, then connect again.")
}

func errUserDeactivated() *ConnectError {
	return newConnectError(codeCancelled, nil, "Your user was deactivated meanwhile, so nothing was connected.")
}

func errNoLongerAdmin() *ConnectError {
	return newConnectError(codeNoCRMAdmin, nil, "Only an admin of your Salesmate account can connect Dialpad, and you are none any more, so nothing was connected.")
}

func errDeclined(company, tenant string) *ConnectError {
	return newConnectError(codeCancelled, nil, fmt.Sprintf("%s was not connected to %s. %s", company, tenant, tryAgain))
}
