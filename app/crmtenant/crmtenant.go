// Package crmtenant turns a stored tenant into what calls to the CRM
// need.
package crmtenant

import (
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// Of returns the tenant as the CRM's client takes it.
func Of(t models.Tenant) crm.Tenant {
	return crm.Tenant{ID: t.ID, Linkname: t.Linkname, Name: t.Name, Plan: t.Plan, TimeZone: t.TimeZone}
}
