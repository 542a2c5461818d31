package crm

import "fmt"

// Types of the events the CRM sends to POST /crm/events, at least once and in
// any order.
const (
	EventPlanChanged     = "plan.changed"
	EventAppUninstalled  = "app.uninstalled"
	EventUserDeactivated = "user.deactivated"
	EventOptedOut        = "contact.opted_out"
	EventOptedIn         = "contact.opted_in"
	EventTenantRenamed   = "tenant.renamed"
	EventDataErase       = "data.erase"
)

// Event is the data of a call to /crm/events. Tenant is always there; the rest
// depends on Type: UserID and perhaps Email for user.deactivated, Number for the
// two opt events, Number or ContactID or both for data.erase.
type Event struct {
	Type      string
	Tenant    Tenant
	UserID    string
	Email     string
	Number    string
	ContactID string
}

// ParseEvent reads the data of an event. A type that is none of the above, or a
// field that is wrong (named in the error), is for a 400.
func ParseEvent(c Call) (Event, error) {
	o := readObject(c.Data, "data")
	e := Event{
		Type: c.Type, Tenant: callTenant(o), UserID: o.id("user_id"), Email: o.text("email"),
		Number: o.text("number"), ContactID: o.id("contact_id"),
	}
	switch c.Type {
	case EventPlanChanged:
		o.object("tenant").need("plan")
	case EventTenantRenamed:
		o.object("tenant").need("name")
	case EventUserDeactivated:
		o.needID("user_id")
	case EventOptedOut, EventOptedIn:
		o.need("number")
	case EventDataErase:
		if e.Number == "" && e.ContactID == "" {
			o.bad("number", "or contact_id is required")
		}
	case EventAppUninstalled:
	default:
		return Event{}, fmt.Errorf("crm: type %q is no event", c.Type)
	}
	if err := o.err(); err != nil {
		return Event{}, fmt.Errorf("crm: %w", err)
	}
	return e, nil
}

// callTenant reads the tenant block of a call, which must at least say who it is.
func callTenant(o object) Tenant {
	in := o.object("tenant")
	t := readTenant(in)
	if t.ID == "" && o.has("tenant") {
		in.missing("id")
	}
	return t
}
