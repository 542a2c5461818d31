package crm

// Types of the CRM's automation calls.
const (
	CallDefinition = "automation.definition"
	CallOptions    = "automation.options"
	CallExecute    = "automation.execute"
)

// OwnerValue means that the record's owner sends. It may be saved where
// an input has AllowOwner.
const OwnerValue = "owner"

// StateBlock answers automation.execute: the workflow waits for a
// completion.
const StateBlock = "BLOCK"

// Definition describes the automation action for the CRM to show.
type Definition struct {
	Key      string   `json:"key"`
	Label    string   `json:"label"`
	Surfaces []string `json:"surfaces"`
	Modules  []string `json:"modules"`
	Inputs   []Input  `json:"inputs"`
	Outputs  []Output `json:"outputs"`
	Ports    []string `json:"ports"`
}

// Input is one field of the action. Type is select, text or textarea.
// Options is the path of the call that lists a select's choices.
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

// Output is one value of a completion.
type Output struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Type  string `json:"type"`
}

// Options answers automation.options. If the input cannot be used,
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

// State says why texting is not possible now, for the user to read.
type State struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Link    *Link  `json:"link"`
}

// Link is the part of State's message that is a link.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Execution answers automation.execute.
type Execution struct {
	State     string `json:"state"`
	MessageID string `json:"message_id"`
}

// OptionsQuery is the data of automation.options. Value is what the
// input holds now: it is shown even if it is no longer a choice.
type OptionsQuery struct {
	Tenant Tenant
	Field  string
	Q      string
	Cursor string
	Value  string
}

// ParseOptionsQuery decodes the data of automation.options. The error
// names the invalid field.
func ParseOptionsQuery(c Call) (OptionsQuery, error) {
	o := readObject(c.Data, "data")
	q := OptionsQuery{
		Tenant: callTenant(o), Field: o.requiredIdentifier("field", maxID), Q: o.text("q", maxSearch), Cursor: o.opaque("cursor"), Value: o.opaque("value"),
	}
	if err := o.callErr(); err != nil {
		return OptionsQuery{}, err
	}
	return q, nil
}

// ParseDefinitionQuery decodes the data of automation.definition: the
// asking tenant, or the zero Tenant if the CRM names none.
func ParseDefinitionQuery(c Call) (Tenant, error) {
	o := readObject(c.Data, "data")
	var t Tenant
	if o.has("tenant") {
		t = callTenant(o)
	}
	if err := o.callErr(); err != nil {
		return Tenant{}, err
	}
	return t, nil
}

// Execute is the data of automation.execute: text one record, once per
// CallbackID.
type Execute struct {
	Tenant     Tenant
	CallbackID string
	Workflow   Workflow
	Module     string
	RecordID   string
	Inputs     Inputs
}

// Workflow is the CRM's automation that makes the call.
type Workflow struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Inputs are the values saved in the automation builder. FromUser is a
// CRM user id or OwnerValue. Any may be empty.
type Inputs struct {
	FromUser   string `json:"from_user"`
	ToField    string `json:"to_field"`
	TemplateID string `json:"template_id"`
	Message    string `json:"message"`
}

// ParseExecute decodes the data of automation.execute. The error names
// the invalid field.
func ParseExecute(c Call) (Execute, error) {
	o := readObject(c.Data, "data")
	e := Execute{
		Tenant: callTenant(o), CallbackID: o.requiredID("callback_id"),
		RecordID: o.requiredID("record_id"), Module: o.requiredIdentifier("module", maxID),
	}
	if e.Module != "" && e.Module != ModuleContact && e.Module != ModuleDeal {
		o.fail("module", "is neither contact nor deal")
	}
	if o.has("workflow") {
		w := o.object("workflow")
		e.Workflow = Workflow{ID: w.id("id"), Name: w.name("name")}
	}
	in := o.object("inputs")
	e.Inputs = Inputs{
		FromUser: in.id("from_user"), ToField: in.identifier("to_field", maxID), TemplateID: in.id("template_id"), Message: in.text("message", maxText),
	}
	if err := o.callErr(); err != nil {
		return Execute{}, err
	}
	return e, nil
}
