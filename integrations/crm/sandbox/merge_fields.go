package sandbox

import (
	"fmt"
	"strings"

	"dialpad-texting/integrations/crm"
)

// mergeFieldList answers fields.list, for both modules.
var mergeFieldList = []crm.Field{
	{Key: "Contact.firstName", Label: "First name", Type: "text"},
	{Key: "Contact.lastName", Label: "Last name", Type: "text"},
	{Key: "Contact.name", Label: "Name", Type: "text"},
	{Key: "Contact.title", Label: "Job title", Type: "text"},
	{Key: "Contact.email", Label: "E-mail", Type: "email"},
	{Key: "Contact.city", Label: "City", Type: "text"},
	{Key: "Contact.mobile", Label: "Mobile", Type: "phone"},
	{Key: "Contact.phone", Label: "Phone", Type: "phone"},
	{Key: "Contact.work", Label: "Work phone", Type: "phone"},
	{Key: "Company.name", Label: "Company", Type: "text"},
	{Key: "Company.city", Label: "Company city", Type: "text"},
	{Key: "Deal.title", Label: "Deal title", Type: "text"},
	{Key: "Deal.value", Label: "Deal value", Type: "currency"},
	{Key: "Deal.stage", Label: "Deal stage", Type: "text"},
	{Key: "Deal.closeDate", Label: "Close date", Type: "date"},
	{Key: "User.name", Label: "Your name", Type: "text"},
	{Key: "User.firstName", Label: "Your first name", Type: "text"},
	{Key: "User.lastName", Label: "Your last name", Type: "text"},
	{Key: "User.email", Label: "Your e-mail", Type: "email"},
	{Key: "User.phone", Label: "Your phone", Type: "phone"},
}

// mergeFields returns the value of every merge field for a person, a
// deal (either may be nil) and the asking user.
func mergeFields(p *person, d *deal, u *user) map[string]string {
	f := make(map[string]string, len(mergeFieldList))
	for _, c := range mergeFieldList {
		f[c.Key] = ""
	}
	if p != nil {
		f["Contact.firstName"], f["Contact.lastName"], f["Contact.name"] = p.first, p.last, p.name()
		f["Contact.title"], f["Contact.email"], f["Contact.city"] = p.title, p.email(), p.city
		f["Contact.mobile"], f["Contact.phone"], f["Contact.work"] = p.mobile, p.phone, p.work
		f["Company.name"], f["Company.city"] = p.company, p.city
	}
	if d != nil {
		f["Deal.title"], f["Deal.value"], f["Deal.stage"] = d.title, formatDollars(d.value), d.stage
		f["Deal.closeDate"] = d.closes.Format("January 2, 2006")
	}
	if u != nil {
		f["User.name"], f["User.firstName"], f["User.lastName"] = u.name(), u.first, u.last
		f["User.email"], f["User.phone"] = u.email, u.phone
	}
	return f
}

// formatDollars returns whole dollars: $48,000.
func formatDollars(v int) string {
	s := fmt.Sprint(v)
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return "$" + strings.Join(append([]string{s}, parts...), ",")
}
