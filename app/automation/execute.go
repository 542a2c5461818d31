package automation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// longestID bounds what becomes part of a key, in bytes.
const longestID = 200

// request is what a call asks for, as it is kept until the CRM has heard how it ended.
type request struct {
	WorkflowName string     `json:"workflow_name"`
	Module       string     `json:"module"`
	RecordID     string     `json:"record_id"`
	Inputs       crm.Inputs `json:"inputs"`
}

// Execute accepts a call, once: the same callback id has the same answer for ever. Whether a text goes out is an
// outcome, told later; *Invalid where the inputs can't be read.
func (a *Automation) Execute(ctx context.Context, e crm.Execute) (crm.Execution, error) {
	if err := readable(e); err != nil {
		if old, known := a.store.Callbacks.Get(ctx, e.Tenant.ID, e.CallbackID); known == nil {
			return blocked(old), nil
		}
		return crm.Execution{}, err
	}
	body, err := json.Marshal(request{WorkflowName: shorten(e.Workflow.Name), Module: e.Module, RecordID: e.RecordID, Inputs: e.Inputs})
	if err != nil {
		return crm.Execution{}, err
	}
	c, _, err := a.store.Callbacks.Accept(ctx, ledger.Callback{TenantID: e.Tenant.ID, CallbackID: e.CallbackID,
		MessageID: models.NewID(), WorkflowID: e.Workflow.ID, Request: body})
	return blocked(c), err
}

func blocked(c ledger.Callback) crm.Execution {
	return crm.Execution{State: crm.StateBlock, MessageID: c.MessageID}
}

// readable refuses inputs that no later moment could make sense of.
func readable(e crm.Execute) error {
	for _, v := range []struct{ field, value string }{{"callback_id", e.CallbackID}, {"workflow.id", e.Workflow.ID},
		{"record_id", e.RecordID}, {"inputs.from_user", e.Inputs.FromUser}, {"inputs.to_field", e.Inputs.ToField},
		{"inputs.template_id", e.Inputs.TemplateID}} {
		if len(v.value) > longestID {
			return &Invalid{Field: v.field, Message: "This is too long."}
		}
	}
	switch {
	case e.CallbackID == "":
		return &Invalid{Field: "callback_id", Message: "A call needs its callback id."}
	case e.Module != crm.ModuleContact && e.Module != crm.ModuleDeal:
		return &Invalid{Field: "module", Message: "Texts go to contacts and deals."}
	case e.RecordID == "":
		return &Invalid{Field: "record_id", Message: "Nobody is named who should be texted."}
	case e.Inputs.FromUser == "":
		return &Invalid{Field: "inputs.from_user", Message: "Choose the user whose number the text goes out from."}
	}
	tpl, err := compose.Parse(e.Inputs.Message)
	var reason compose.Reason
	switch {
	case errors.As(err, &reason):
		return &Invalid{Field: "inputs.message", Message: reason.Sentence()}
	case err != nil:
		return &Invalid{Field: "inputs.message", Message: "The message can't be read."}
	case strings.TrimSpace(tpl.String()) == "" && e.Inputs.TemplateID == "":
		return &Invalid{Field: "inputs.message", Message: "Write a message or choose a template."}
	}
	return nil
}

func shorten(name string) string {
	if r := []rune(name); len(r) > longestID {
		return string(r[:longestID])
	}
	return name
}

// actionOf is a call as texting takes it.
func actionOf(c ledger.Callback, r request) texting.Action {
	return texting.Action{CallbackID: c.CallbackID, MessageID: c.MessageID, CalledAt: c.CreatedAt, WorkflowID: c.WorkflowID,
		WorkflowName: r.WorkflowName, Module: r.Module, RecordID: r.RecordID, ToField: cmp.Or(r.Inputs.ToField, defaultTo),
		TemplateID: r.Inputs.TemplateID, Message: r.Inputs.Message}
}
