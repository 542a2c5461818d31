package automation

import (
	"cmp"

	"dialpad-texting/app/market"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
)

// Codes of ends that no other floor names.
const (
	codeCancelled = "cancelled"
	codeUnknown   = "outcome_unknown"

	wordsCancelled = "Cancelled before it was sent"
)

// ending is how a call ends: sent, or with a code and the words of the contract. As an error it ends a call before
// there is a text.
type ending struct {
	sent  bool
	code  string
	words string
}

func (e *ending) Error() string { return "automation ends: " + e.code }

func refused(r *market.Refusal) *ending { return &ending{code: r.Code, words: r.Message} }

// endOf is the end that a message's state means; nil while there is none. Dialpad's own words stay verbatim.
func endOf(m ledger.Message) *ending {
	switch m.State {
	case ledger.Queued, ledger.Waiting, ledger.Sending, ledger.Held:
		return nil
	case ledger.Uncertain:
		return &ending{code: codeUnknown, words: ledger.UnknownOutcome}
	case ledger.Cancelled:
		return &ending{code: codeCancelled, words: cmp.Or(m.ErrorText, wordsCancelled)}
	}
	if m.AcceptedByDialpad() {
		return &ending{sent: true}
	}
	return &ending{code: cmp.Or(m.ErrorCode, m.State), words: m.ErrorText}
}

// severity is high when plan, installation or connection are gone: the CRM may then pause the whole automation.
func (e *ending) severity() string {
	switch {
	case e.sent:
		return crm.SeverityNone
	case e.code == market.CodePlan, e.code == market.CodeInstall, e.code == market.CodeConnect:
		return crm.SeverityHigh
	}
	return crm.SeverityMedium
}

// columns are the callback's, from the moment its end is known.
func (e *ending) columns() map[string]any {
	port := crm.PortFailed
	if e.sent {
		port = crm.PortSend
	}
	return map[string]any{"state": ledger.CallbackEnding, "port": port, "severity": e.severity(),
		"error_code": e.code, "error_text": e.words}
}

// completion is what the CRM is told of a call that is ending.
func completion(c ledger.Callback) crm.Completion {
	out := crm.Completion{CallbackID: c.CallbackID, State: crm.StateFail, Port: c.Port, Severity: c.Severity,
		Outputs: crm.CompletionOutputs{Status: ledger.Failed, MessageID: c.MessageID, ErrorCode: c.ErrorCode, ErrorText: c.ErrorText}}
	switch {
	case c.Port == crm.PortSend:
		out.State, out.Outputs.Status = crm.StateSuccess, ledger.Sent
	case c.ErrorCode == codeUnknown:
		out.Outputs.Status = ledger.Uncertain
	case c.ErrorCode == codeCancelled:
		out.Outputs.Status = ledger.Cancelled
	}
	return out
}
