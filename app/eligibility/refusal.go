package eligibility

import "dialpad-texting/integrations/dialpad"

// Codes of a Refusal, as the contract lists them.
const (
	CodePlan        = "plan_required"
	CodeInstall     = "not_installed"
	CodeConnect     = "not_connected"
	CodeNoAccounts  = "no_accounts"
	CodeNoAccount   = "no_account"
	CodeUnreachable = "dialpad_unreachable"

	// CodeNoNumber is told instead of CodeNoAccount where the account lacks
	// only a number.
	CodeNoNumber = "no_number"
)

// Messages that the contract fixes, section 5.
const (
	ConnectMessage     = "You need an active DialPad connection to use this feature. Click here to connect."
	NoAccountMessage   = "No Dialpad account found"
	UnreachableMessage = "Dialpad is not answering. Try again in a few minutes."
)

// DisconnectedReason is the Reason of a tenant without a connection.
const DisconnectedReason = "Dialpad is not connected."

const linkText = "Click here"

// Link is the part of a message that leads on.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Refusal is why a tenant or user may not text now. Code, Message and Link
// are for the person, the rest for whoever has to mend it.
type Refusal struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	Link     *Link  `json:"link"`
	Reason   string `json:"-"` // a closer sentence, for the admin or the person concerned; may be ""
	HeldCode string `json:"-"` // the code that batches are held for meanwhile; "" = they need not be
	Cause    error  `json:"-"` // for the operator; may be nil
}

// Error returns code and cause, for logs.
func (r *Refusal) Error() string {
	if r.Cause == nil {
		return r.Code
	}
	return r.Code + ": " + r.Cause.Error()
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// refuse returns a refusal with the contract's sentence about the connection
// and its link. Without a linkname there is no link: delivery needs none.
func (c *Checker) refuse(code, held, linkname, reason string) *Refusal {
	r := &Refusal{Code: code, HeldCode: held, Message: ConnectMessage, Reason: reason}
	if linkname != "" {
		r.Link = &Link{Text: linkText, URL: c.AppPage(linkname)}
	}
	return r
}

// AppPage returns the address of the app's page in a tenant's CRM, "" when
// none is configured.
func (c *Checker) AppPage(linkname string) string {
	if c.cfg.AppPageURL == nil {
		return ""
	}
	return c.cfg.AppPageURL(linkname)
}

// NotConnected returns the refusal of a tenant whose connection is missing
// or broken; held is the code that its batches are held for.
func NotConnected(held, reason string) *Refusal {
	return &Refusal{Code: CodeConnect, HeldCode: held, Message: ConnectMessage, Reason: reason}
}

// NoAccount returns the refusal of a person without an account that may
// text; reason says why in plain words.
func NoAccount(reason string) *Refusal {
	return &Refusal{Code: CodeNoAccount, Message: NoAccountMessage, Reason: reason}
}

// NoAccounts returns the refusal of a tenant in which nobody may text.
func NoAccounts() *Refusal { return &Refusal{Code: CodeNoAccounts, Message: NoAccountMessage} }

// Unreachable returns the refusal while Dialpad does not answer. An outage
// does not break the connection, so nothing is held.
func Unreachable(cause error) *Refusal {
	return &Refusal{Code: CodeUnreachable, Message: UnreachableMessage, Cause: cause}
}

// IsOutage reports whether an error of Dialpad's means "try later": no
// answer, a lost one, or a limit.
func IsOutage(err error) bool {
	switch dialpad.KindOf(err) {
	case dialpad.Unavailable, dialpad.Lost, dialpad.NotSent, dialpad.RateLimited:
		return true
	}
	return false
}
