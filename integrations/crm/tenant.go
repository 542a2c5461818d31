package crm

import (
	"strings"

	words "dialpad-texting/internal/text"
)

// Tenant is one CRM account, as the CRM signed it.
type Tenant struct {
	ID       string `json:"id"`
	Linkname string `json:"linkname"` // sub-domain: one DNS label, lower case
	Name     string `json:"name"`
	Plan     string `json:"plan"`
	TimeZone string `json:"time_zone"` // IANA name
}

// UnmarshalJSON accepts the id as a string or a number.
func (t *Tenant) UnmarshalJSON(b []byte) error {
	o := readObject(b, "tenant")
	*t = readTenant(o)
	return o.err()
}

func readTenant(o objectReader) Tenant {
	t := Tenant{
		ID: o.id("id"), Linkname: words.LowerASCII(o.identifier("linkname", maxWord)), Name: o.name("name"),
		Plan: o.identifier("plan", maxID), TimeZone: o.text("time_zone", maxWord),
	}
	if t.Linkname != "" && !isDNSLabel(t.Linkname) {
		o.fail("linkname", "must be one DNS label")
	}
	return t
}

// isDNSLabel reports whether s is one lower-case DNS label (RFC 1123).
func isDNSLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
