package automation

import (
	"context"

	"dialpad-texting/integrations/crm"
)

// Names of the action's inputs.
const (
	fieldFromUser = "from_user"
	fieldTo       = "to_field"
	fieldTemplate = "template_id"
	fieldMessage  = "message"
)

const (
	optionsPath       = "/automation/options"
	defaultTo         = "mobile"
	portContinue      = "continue" // the CRM's own: never named in a completion
	surfaceAutomation = "automation"
)

// Definition describes the action, the same for every tenant: what a tenant may
// not do, its options say. Sequences can't text, so no surface names them.
func (a *Automation) Definition(context.Context, crm.Tenant) (crm.Definition, error) {
	return crm.Definition{
		Key: "send_text_via_dialpad", Label: "Send Text via Dialpad",
		Surfaces: []string{surfaceAutomation}, Modules: []string{crm.ModuleContact, crm.ModuleDeal},
		Inputs: []crm.Input{
			{Key: fieldFromUser, Label: "From User", Type: "select", Required: true, Options: optionsPath, AllowOwner: true,
				Help: "The text goes out from this user's Dialpad number."},
			{Key: fieldTo, Label: "To Number", Type: "select", Required: true, Options: optionsPath, Default: defaultTo,
				Help: "The phone field of the contact; for a deal, of its primary contact."},
			{Key: fieldTemplate, Label: "Template", Type: "select", Options: optionsPath,
				Help: "Used when Message is empty, as it is written when the workflow runs."},
			{Key: fieldMessage, Label: "Message", Type: "textarea",
				Help: "May hold merge fields: Hi {{Contact.firstName|there}}"},
		},
		Outputs: []crm.Output{
			{Key: "status", Label: "Status", Type: "text"},
			{Key: "message_id", Label: "Message id", Type: "text"},
			{Key: "error_code", Label: "Error code", Type: "text"},
			{Key: "error_text", Label: "Error", Type: "text"},
		},
		Ports: []string{crm.PortSend, crm.PortFailed, portContinue},
	}, nil
}
