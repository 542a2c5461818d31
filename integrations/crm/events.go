package crm

import "fmt"

// Types of the events that the CRM sends to POST /crm/events. Delivery
// is at least once and in any order.
const (
	EventPlanChanged     = "plan.changed"
	EventAppUninstalled  = "app.uninstalled"
	EventUserDeactivated = "user.deactivated"
	EventOptedOut        = "contact.opted_out"
	EventOptedIn         = "contact.opted_in"
	EventTenantRenamed   = "tenant.renamed"
	EventDataErase       = "data.erase"
)

// Event is the data of a call to /crm/events. Tenant is always set. The
// rest depends on Type: user.deactivated has UserID and perhaps Email,
// contact.opted_out and contact.opted_in have Number, data.erase has
// Number, ContactID or both.
type Event struct {
	Type      string
	Tenant    Tenant
	UserID    string
	Email     string
	Number    string
	ContactID string
}

// ParseEvent decodes the data of an event. An unknown type or an
// invalid field (named in the error) is an error: answer 400.
func ParseEvent(c Call) (Event, error) {
	o := readObject(c.Data, "data")
	e := Event{
		Type: c.Type, Tenant: callTenant(o), UserID: o.id("user_id"), Email: o.identifier("email", maxEmail),
		Number: o.text("number", maxWord), ContactID: o.id("contact_id"),
	}
	switch c.Type {
	case EventPlanChanged:
		o.object("tenant").requiredIdentifier("plan", maxID)
	case EventTenantRenamed:
		o.object("tenant").require("name")
	case EventUserDeactivated:
		o.requiredID("user_id")
	case EventOptedOut, EventOptedIn:
		o.require("number")
	case EventDataErase:
		if e.Number == "" && e.ContactID == "" {
			o.fail("number", "or contact_id is required")
		}
	case EventAppUninstalled:
	default:
		return Event{}, fmt.Errorf("crm: type %q is no event", c.Type)
	}
	if err := o.callErr(); err != nil {
		return Event{}, err
	}
	return e, nil
}

// callTenant reads the tenant of a call. Its id is required.
func callTenant(o objectReader) Tenant {
	in := o.object("tenant")
	t := readTenant(in)
	if t.ID == "" && o.has("tenant") {
		in.failMissing("id")
	}
	return t
}
