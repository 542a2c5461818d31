package market

import (
	"strings"

	"dialpad-texting/integrations/dialpad"
)

// Codes of a Refusal, as the contract lists them.
const (
	CodePlan        = "plan_required"
	CodeInstall     = "not_installed"
	CodeConnect     = "not_connected"
	CodeNoAccounts  = "no_accounts"
	CodeNoAccount   = "no_account"
	CodeUnreachable = "dialpad_unreachable"
)

// The words of the contract, section 5.
const (
	ConnectMessage     = "You need an active DialPad connection to use this feature. Click here to connect."
	NoAccountMessage   = "No Dialpad account found"
	UnreachableMessage = "Dialpad is not answering. Try again in a few minutes."
)

const clickHere = "Click here"

// Link is the part of a message that leads on.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Refusal is why a tenant or user may not text now: {code, message, link} for the person, the rest for whoever has to
// mend it.
type Refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Link    *Link  `json:"link"`
	Reason  string `json:"-"` // a closer sentence, for the admin or the person concerned; may be ""
	Held    string `json:"-"` // the code that batches are held for meanwhile; "" = they need not be
	Cause   error  `json:"-"` // for the operator; may be nil
}

// Error is for logs: the code and the cause.
func (r *Refusal) Error() string {
	if r.Cause == nil {
		return r.Code
	}
	return r.Code + ": " + r.Cause.Error()
}

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// connect refuses with the contract's sentence about the connection and its link. Without a linkname there is no
// link: delivery asks for the answer alone.
func (m *Market) connect(code, held, linkname, reason string) *Refusal {
	r := &Refusal{Code: code, Held: held, Message: ConnectMessage, Reason: reason}
	if linkname != "" {
		r.Link = &Link{Text: clickHere, URL: m.appPage(linkname)}
	}
	return r
}

func (m *Market) appPage(linkname string) string {
	if m.cfg.AppPageURL == nil {
		return ""
	}
	return m.cfg.AppPageURL(linkname)
}

// NotConnected refuses with the contract's sentence; held is the code that batches are held for.
func NotConnected(held, reason string) *Refusal {
	return &Refusal{Code: CodeConnect, Held: held, Message: ConnectMessage, Reason: reason}
}

// NoAccount refuses a person without an account that may text; reason says why, in plain words.
func NoAccount(reason string) *Refusal {
	return &Refusal{Code: CodeNoAccount, Message: NoAccountMessage, Reason: reason}
}

// NoAccounts refuses a tenant in which nobody may text.
func NoAccounts() *Refusal { return &Refusal{Code: CodeNoAccounts, Message: NoAccountMessage} }

// Unreachable refuses while Dialpad does not answer: an outage is no disconnect.
func Unreachable(cause error) *Refusal {
	return &Refusal{Code: CodeUnreachable, Message: UnreachableMessage, Cause: cause}
}

// Outage tells whether a Dialpad error means "later": no answer, a lost one, or a limit.
func Outage(err error) bool {
	switch dialpad.KindOf(err) {
	case dialpad.Unavailable, dialpad.Lost, dialpad.NotSent, dialpad.RateLimited:
		return true
	}
	return false
}

// sentence ends words with a full stop.
func sentence(words string) string {
	words = strings.TrimSpace(words)
	if words == "" || strings.ContainsAny(words[len(words)-1:], ".!?") {
		return words
	}
	return words + "."
}
