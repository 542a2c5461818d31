package audience

import (
	"context"
	"strings"
	"time"

	"dialpad-texting/app/optout"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Action is one call of an automation: a text to one record.
type Action struct {
	CallbackID, MessageID    string
	CalledAt                 time.Time
	WorkflowID, WorkflowName string
	Module, RecordID         string
	ToField                  string
	TemplateID, Message      string // Message is the text; TemplateID says where it came from
}

// Target is an action's recipient. Its Code may also be set by the
// caller: why no text goes out though the recipient could be texted.
type Target struct {
	Recipient
	Excluded         bool // the recipient can't be texted
	UsesSenderFields bool // the text has fields of the sender: render it as that user
}

// The reasons of excluded recipients, as automations report them.
const (
	actionForbidden = "The sender may not see this record"
	actionRefused   = "Salesmate refused access to this record"
)

// Target reads an action's record as a CRM user sees it and renders the
// text. *apierror.Error for a text that can't be used, and for a CRM
// that does not answer (crm_unreachable).
func (x *Audience) Target(ctx context.Context, t models.Tenant, userID string, a Action) (Target, error) {
	tpl, err := x.templates.CheckText(ctx, t, a.Module, a.Message)
	if err != nil {
		return Target{}, err
	}
	p, err := x.recipients(ctx, audienceSpec{tenant: t, userID: userID, source: ledger.SourceAutomation, module: a.Module,
		recordIDs: []string{a.RecordID}, toField: a.ToField, template: tpl}, "")
	r := Recipient{Code: CodeMissing, Reason: ReasonMissing}
	switch {
	case crm.KindOf(err) == crm.Refused: // asking again would bring the same answer
		r.exclude(codeRefused, actionRefused)
	case err != nil:
		return Target{}, err
	case len(p.Recipients) == 1:
		r = p.Recipients[0]
	}
	r.checkText()
	switch r.Code {
	case CodeOptedOut:
		r.Reason = optout.AutomationMessage
	case CodeForbidden:
		r.Reason = actionForbidden
	}
	out := Target{Recipient: r, Excluded: r.Code != ""}
	for _, f := range tpl.Fields() {
		out.UsesSenderFields = out.UsesSenderFields || strings.HasPrefix(f, "User.")
	}
	return out, nil
}
