package market

import (
	"fmt"
	"slices"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// Codes of an attempt that failed, for the app page.
const (
	cancelledCode   = "cancelled"
	refusedCode     = "refused"
	notAdminCode    = "not_admin"
	takenCode       = "company_taken"
	expiredCode     = "expired"
	otherBrowser    = "other_browser"
	misconfigured   = "misconfigured"
	unreachableCode = CodeUnreachable
)

const (
	notConnected = "Dialpad is not connected"
	again        = "To try again, press Connect on the Dialpad page in Salesmate."
)

// Halt is a connect window that goes no further: what the person reads, a word for the page, the cause for the
// operator.
type Halt struct {
	Outcome
	Code  string
	Cause error
}

// Error is for logs.
func (h *Halt) Error() string {
	if h.Cause == nil {
		return "connect window: " + h.Code
	}
	return "connect window: " + h.Code + ": " + h.Cause.Error()
}

// Unwrap gives the cause.
func (h *Halt) Unwrap() error { return h.Cause }

// halt adds the tenant's way on.
func (m *Market) halt(t models.Tenant, h *Halt) *Halt {
	if url := m.appPage(t.Linkname); url != "" && t.Linkname != "" {
		h.Link = &Link{Text: "Back to the Dialpad page", URL: url}
	}
	return h
}

func (m *Market) connected(t models.Tenant, company string) Outcome {
	message := fmt.Sprintf("%s is connected to Dialpad. You can close this window.", t.Name)
	if company != "" {
		message = fmt.Sprintf("%s is connected to %s in Dialpad. You can close this window.", t.Name, company)
	}
	return m.halt(t, &Halt{Outcome: Outcome{Done: true, Title: "Dialpad is connected", Message: message}}).Outcome
}

func newHalt(code string, cause error, message string) *Halt {
	return &Halt{Code: code, Cause: cause, Outcome: Outcome{Title: notConnected, Message: message}}
}

const staleWords = "This window is over: it was used before, waited for more than 10 minutes, or a newer one was opened. " + again

// staleOutcome is for a ticket or state that names no tenant, so that there is no link either.
var staleOutcome = Outcome{Title: notConnected, Message: staleWords}

func staleHalt(cause error) *Halt { return newHalt(expiredCode, cause, staleWords) }

func expiredHalt() *Halt {
	return newHalt(expiredCode, nil, "Nobody confirmed the connection in time, so nothing was connected. "+again)
}

func otherBrowserHalt() *Halt {
	return newHalt(otherBrowser, nil, "Dialpad's answer came back in another browser than the one this began in, so nothing was connected. "+
		"Press Connect on the Dialpad page and stay in that browser.")
}

// refusedHalt is a callback without a code. What Dialpad sends then is not documented; RFC 6749 4.1.2.1 names these.
func refusedHalt(oauthError string) *Halt {
	switch oauthError {
	case "server_error", "temporarily_unavailable":
		return newHalt(unreachableCode, nil, UnreachableMessage)
	case "invalid_scope", "unauthorized_client", "invalid_request", "unsupported_response_type":
		return newHalt(misconfigured, fmt.Errorf("the consent page answered %s", oauthError), misconfiguredWords)
	}
	return newHalt(refusedCode, nil, "Access was not allowed in Dialpad, so nothing was connected. "+again)
}

const misconfiguredWords = "Dialpad does not accept this app as it is set up. Whoever runs it has to look after that; nothing was connected."

func exchangeHalt(err error) *Halt {
	switch dialpad.KindOf(err) {
	case dialpad.InvalidGrant:
		return newHalt(expiredCode, err, "Dialpad's answer was not valid any more when it got here. "+again)
	case dialpad.Unauthorized, dialpad.Forbidden, dialpad.Refused, dialpad.NotFound:
		return newHalt(misconfigured, err, misconfiguredWords)
	}
	return newHalt(unreachableCode, err, UnreachableMessage)
}

// askHalt is Dialpad failing right after the exchange.
func askHalt(err error) *Halt {
	if slices.Contains([]dialpad.Kind{dialpad.Unauthorized, dialpad.Forbidden}, dialpad.KindOf(err)) {
		return newHalt(refusedCode, err, "Dialpad took the access back at once: the app may be switched off for your company there. "+again)
	}
	return newHalt(unreachableCode, err, UnreachableMessage)
}

func notAdminHalt(email string) *Halt {
	return newHalt(notAdminCode, nil, fmt.Sprintf("%s is no company admin in Dialpad. Ask a company admin of your Dialpad company to "+
		"press Connect, or log in to Dialpad as one.", email))
}

func takenHalt(company string) *Halt {
	return newHalt(takenCode, nil, fmt.Sprintf("The Dialpad company %s is connected to another account already. It has to be "+
		"disconnected there before it can be connected here.", company))
}

func lostHalt(r *Refusal) *Halt {
	if r.Code == CodePlan {
		return newHalt(r.Code, nil, "Your plan does not include Dialpad any more, so nothing was connected. Upgrade, then connect again.")
	}
	return newHalt(r.Code, nil, "The Dialpad app was removed meanwhile, so nothing was connected. Install it, then connect again.")
}

func inactiveHalt() *Halt {
	return newHalt(cancelledCode, nil, "Your user was deactivated meanwhile, so nothing was connected.")
}

func declinedHalt(company, tenant string) *Halt {
	return newHalt(cancelledCode, nil, fmt.Sprintf("%s was not connected to %s. %s", company, tenant, again))
}
