package automation

import (
	"cmp"
	"errors"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
)

const (
	codeUnknown = "outcome_unknown" // no other package names it

	wordsCancelled = "Cancelled before it was sent"
)

// outcome is how a callback ends: sent, or not, with a code and the contract's
// words. As an error it ends a callback before there is a text.
type outcome struct {
	sent  bool
	code  string
	words string
}

func (o *outcome) Error() string { return "automation outcome: " + o.code }

func refusalOutcome(r *eligibility.Refusal) *outcome { return &outcome{code: r.Code, words: r.Message} }

// messageOutcome returns the outcome that a message's state means,
// nil while there is none. Dialpad's own words stay verbatim.
func messageOutcome(m ledger.Message) *outcome {
	switch m.State {
	case ledger.Queued, ledger.Waiting, ledger.Sending, ledger.Held:
		return nil
	case ledger.Uncertain:
		return &outcome{code: codeUnknown, words: ledger.UnknownOutcome}
	case ledger.Cancelled:
		return &outcome{code: ledger.CodeCancelled, words: cmp.Or(m.ErrorText, wordsCancelled)}
	}
	if m.AcceptedByDialpad() {
		return &outcome{sent: true}
	}
	return &outcome{code: cmp.Or(m.ErrorCode, m.State), words: m.ErrorText}
}

// problemOutcome turns a problem that ends the callback into its outcome. It
// returns any other error as it is: the CRM is asked again later.
func problemOutcome(err error) error {
	var p *apierror.Error
	if !errors.As(err, &p) {
		return err
	}
	var e *crm.Error
	if p.Code != apierror.CodeCRMUnreachable {
		return &outcome{code: p.Code, words: p.Message}
	}
	if errors.As(err, &e) && e.Kind == crm.Refused {
		return &outcome{code: "crm_refused", words: "Salesmate refuses what this text needs"}
	}
	return err
}

// severity is high if plan, installation or connection
// are gone. The CRM may then pause the whole automation.
func (o *outcome) severity() string {
	switch {
	case o.sent:
		return crm.SeverityNone
	case o.code == eligibility.CodePlan, o.code == eligibility.CodeInstall, o.code == eligibility.CodeConnect:
		return crm.SeverityHigh
	}
	return crm.SeverityMedium
}

// columns are what the callback's row stores of its outcome.
func (o *outcome) columns() map[string]any {
	port := crm.PortFailed
	if o.sent {
		port = crm.PortSend
	}
	return map[string]any{"state": ledger.CallbackEnding, "port": port, "severity": o.severity(),
		"error_code": o.code, "error_text": o.words}
}

// completion is the report to the CRM about a callback that has an outcome.
func completion(c ledger.Callback) crm.Completion {
	out := crm.Completion{CallbackID: c.CallbackID, State: crm.StateFail, Port: c.Port, Severity: c.Severity,
		Outputs: crm.CompletionOutputs{Status: ledger.Failed, MessageID: c.MessageID, ErrorCode: c.ErrorCode, ErrorText: c.ErrorText}}
	switch {
	case c.Port == crm.PortSend:
		out.State, out.Outputs.Status = crm.StateSuccess, ledger.Sent
	case c.ErrorCode == codeUnknown:
		out.Outputs.Status = ledger.Uncertain
	case c.ErrorCode == ledger.CodeCancelled:
		out.Outputs.Status = ledger.Cancelled
	}
	return out
}
