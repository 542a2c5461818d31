package access

import (
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// Asker is who asks for something, as the session says.
type Asker struct {
	Tenant   models.Tenant
	UserID   string
	Email    string
	Name     string
	Role     string
	TimeZone string
	Target   *crm.LaunchTarget // the records of a popup; nil on pages
}

// Asker returns whom the bearer token speaks for.
func (c Caller) Asker() Asker {
	s := c.Session
	return Asker{Tenant: c.Tenant, UserID: s.UserID, Email: s.Email, Name: s.Name, Role: s.Role,
		TimeZone: s.TimeZone, Target: c.Ctx}
}

// IsAdmin reports whether the asker administers the tenant.
func (a Asker) IsAdmin() bool { return a.Role == crm.RoleAdmin }
