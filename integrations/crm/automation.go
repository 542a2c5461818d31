package crm

import "fmt"

// Types of the calls the CRM makes for its automation builder.
const (
	CallDefinition = "automation.definition"
	CallOptions    = "automation.options"
	CallExecute    = "automation.execute"
)

// OwnerValue may be saved where an input allows it: the record's owner sends.
const OwnerValue = "owner"

// StateBlock is the answer to automation.execute: the workflow waits for a completion.
const StateBlock = "BLOCK"

// Definition describes the action, as the CRM draws it.
type Definition struct {
	Key      string   `json:"key"`
	Label    string   `json:"label"`
	Surfaces []string `json:"surfaces"`
	Modules  []string `json:"modules"`
	Inputs   []Input  `json:"inputs"`
	Outputs  []Output `json:"outputs"`
	Ports    []string `json:"ports"`
}

// Input is one field of the action. Type is select, text or textarea; Options is
// the path of the call that lists a select's choices.
type Input struct {
	Key        string `json:"key"`
	Label      string `json:"label"`
	Type       string `json:"type"`
	Required   bool   `json:"required"`
	Help       string `json:"help,omitempty"`
	Options    string `json:"options,omitempty"`
	AllowOwner bool   `json:"allow_owner,omitempty"`
	Default    string `json:"default,omitempty"`
}

// Output is one value a completion carries.
type Output struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Type  string `json:"type"`
}

// Options is the answer to automation.options. Where the input cannot be used
// Options is empty and State says why.
type Options struct {
	Options []Option `json:"options"`
	Next    *string  `json:"next"`
	State   *State   `json:"state"`
}

// Option is one choice. Inactive marks a saved value that no longer works.
type Option struct {
	Value       string `json:"value"`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
	Inactive    bool   `json:"inactive,omitempty"`
}

// State says why texting is not possible now, in words for the person.
type State struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Link    *Link  `json:"link"`
}

// Link is the words of State that lead somewhere.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Execution is the answer to automation.execute.
type Execution struct {
	State     string `json:"state"`
	MessageID string `json:"message_id"`
}

// OptionsQuery is the data of automation.options. Value is what is saved in
// the input now, so that it can be shown even when it is no longer a choice.
type OptionsQuery struct {
	Tenant Tenant
	Field  string
	Q      string
	Cursor string
	Value  string
}

// ParseOptionsQuery reads the data of automation.options; the error names the field.
func ParseOptionsQuery(c Call) (OptionsQuery, error) {
	o := readObject(c.Data, "data")
	q := OptionsQuery{
		Tenant: callTenant(o), Field: o.need("field"), Q: o.text("q"), Cursor: o.id("cursor"), Value: o.id("value"),
	}
	if err := o.err(); err != nil {
		return OptionsQuery{}, fmt.Errorf("crm: %w", err)
	}
	return q, nil
}

// ParseDefinitionQuery reads the data of automation.definition: the tenant
// that asks, or the zero Tenant where the CRM asks for nobody.
func ParseDefinitionQuery(c Call) (Tenant, error) {
	o := readObject(c.Data, "data")
	var t Tenant
	if o.has("tenant") {
		t = callTenant(o)
	}
	if err := o.err(); err != nil {
		return Tenant{}, fmt.Errorf("crm: %w", err)
	}
	return t, nil
}

// Execute is the data of automation.execute: text one record, once for each
// CallbackID.
type Execute struct {
	Tenant     Tenant
	CallbackID string
	Workflow   Workflow
	Module     string
	RecordID   string
	Inputs     Inputs
}

// Workflow is the CRM's automation that asks.
type Workflow struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Inputs are what was saved in the builder. FromUser is a CRM user id or
// OwnerValue. What may be empty is the app's to say.
type Inputs struct {
	FromUser   string `json:"from_user"`
	ToField    string `json:"to_field"`
	TemplateID string `json:"template_id"`
	Message    string `json:"message"`
}

// ParseExecute reads the data of automation.execute; the error names the field.
func ParseExecute(c Call) (Execute, error) {
	o := readObject(c.Data, "data")
	e := Execute{Tenant: callTenant(o), CallbackID: o.needID("callback_id"), RecordID: o.needID("record_id"), Module: o.need("module")}
	if e.Module != "" && e.Module != ModuleContact && e.Module != ModuleDeal {
		o.bad("module", "is neither contact nor deal")
	}
	if o.has("workflow") {
		w := o.object("workflow")
		e.Workflow = Workflow{ID: w.id("id"), Name: w.text("name")}
	}
	in := o.object("inputs")
	e.Inputs = Inputs{
		FromUser: in.id("from_user"), ToField: in.text("to_field"), TemplateID: in.id("template_id"), Message: in.text("message"),
	}
	if err := o.err(); err != nil {
		return Execute{}, fmt.Errorf("crm: %w", err)
	}
	return e, nil
}
