package automation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/text"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// maxIDLength bounds what becomes part of a key, in bytes.
const maxIDLength = 200

// request is what a callback asks for, as it
// is stored until the callback is completed.
type request struct {
	WorkflowName string     `json:"workflow_name"`
	Module       string     `json:"module"`
	RecordID     string     `json:"record_id"`
	Inputs       crm.Inputs `json:"inputs"`
}

// Execute accepts a callback, once: the same callback id has
// the same answer for ever. Whether a text goes out is reported
// by Complete. It returns *Invalid if the inputs can't be read.
func (a *Automation) Execute(ctx context.Context, e crm.Execute) (crm.Execution, error) {
	if err := validate(e); err != nil {
		if old, known := a.store.Callbacks.Get(ctx, e.Tenant.ID, e.CallbackID); known == nil {
			return newExecution(old), nil
		}
		return crm.Execution{}, err
	}
	body, err := json.Marshal(request{WorkflowName: truncate(e.Workflow.Name), Module: e.Module, RecordID: e.RecordID, Inputs: e.Inputs})
	if err != nil {
		return crm.Execution{}, err
	}
	c, _, err := a.store.Callbacks.Accept(ctx, ledger.Callback{TenantID: e.Tenant.ID, CallbackID: e.CallbackID,
		MessageID: models.NewID(), WorkflowID: e.Workflow.ID, Request: body})
	return newExecution(c), err
}

func newExecution(c ledger.Callback) crm.Execution {
	return crm.Execution{State: crm.StateBlock, MessageID: c.MessageID}
}

// validate refuses inputs that can never be used.
func validate(e crm.Execute) error {
	for _, v := range []struct{ field, value string }{{"callback_id", e.CallbackID}, {"workflow.id", e.Workflow.ID},
		{"record_id", e.RecordID}, {"inputs.from_user", e.Inputs.FromUser}, {"inputs.to_field", e.Inputs.ToField},
		{"inputs.template_id", e.Inputs.TemplateID}} {
		if len(v.value) > maxIDLength {
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
	case text.IsBlank(tpl.String()) && e.Inputs.TemplateID == "":
		return &Invalid{Field: "inputs.message", Message: "Write a message or choose a template."}
	}
	return nil
}

func truncate(name string) string {
	if r := []rune(name); len(r) > maxIDLength {
		return string(r[:maxIDLength])
	}
	return name
}

// newAction returns a callback as texting takes it.
func newAction(c ledger.Callback, r request) audience.Action {
	return audience.Action{CallbackID: c.CallbackID, MessageID: c.MessageID, CalledAt: c.CreatedAt, WorkflowID: c.WorkflowID,
		WorkflowName: r.WorkflowName, Module: r.Module, RecordID: r.RecordID, ToField: cmp.Or(r.Inputs.ToField, defaultTo),
		TemplateID: r.Inputs.TemplateID, Message: r.Inputs.Message}
}
