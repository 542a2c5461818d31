package crm

import "strings"

// Audience is what a launch token is made out to (claim aud).
const Audience = "dialpad-texting"

// What a launch token is for (claim use).
const (
	UsePopup = "popup" // the text popup
	UsePage  = "page"  // the app detail page and the outbox
)

// Roles of a CRM user.
const (
	RoleAdmin = "admin"
	RoleUser  = "user"
)

// Modules whose records can be texted.
const (
	ModuleContact = "contact"
	ModuleDeal    = "deal"
)

// Modes of a popup.
const (
	ModeOne  = "one"
	ModeBulk = "bulk"
)

// MaxRecordIDs is the most records a token or a records.resolve names.
const MaxRecordIDs = 200

// Tenant is one CRM account as the CRM signed it. Linkname is its sub-domain
// (one DNS label, lower case), TimeZone an IANA name.
type Tenant struct {
	ID       string `json:"id"`
	Linkname string `json:"linkname"`
	Name     string `json:"name"`
	Plan     string `json:"plan"`
	TimeZone string `json:"time_zone"`
}

// UnmarshalJSON takes the id as a string or as a number.
func (t *Tenant) UnmarshalJSON(b []byte) error {
	o := readObject(b, "tenant")
	*t = readTenant(o)
	return o.err()
}

func readTenant(o object) Tenant {
	t := Tenant{
		ID: o.id("id"), Linkname: strings.ToLower(o.text("linkname")), Name: o.text("name"),
		Plan: o.text("plan"), TimeZone: o.text("time_zone"),
	}
	if t.Linkname != "" && !isLabel(t.Linkname) {
		o.bad("linkname", "must be one DNS label")
	}
	return t
}

// User is the person who is logged in to the CRM. Locale is a BCP 47 tag,
// TimeZone an IANA name.
type User struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	TimeZone string `json:"time_zone"`
	Locale   string `json:"locale"`
}

// UnmarshalJSON takes the id as a string or as a number.
func (u *User) UnmarshalJSON(b []byte) error {
	o := readObject(b, "user")
	*u = readUser(o)
	return o.err()
}

func readUser(o object) User {
	return User{
		ID: o.id("id"), Email: o.text("email"), Name: o.text("name"),
		Role: o.text("role"), TimeZone: o.text("time_zone"), Locale: o.text("locale"),
	}
}

// Ctx says whom a popup is about. In mode one there is exactly one record, and
// ToNumber as it was clicked (signed, so authoritative; not necessarily valid or
// among the record's phones). In mode bulk there are RecordIDs or a Selection
// that the CRM resolves page by page; Count is how many records either means.
type Ctx struct {
	Mode      string   `json:"mode"`
	Module    string   `json:"module"`
	RecordIDs []string `json:"record_ids,omitempty"`
	Selection string   `json:"selection,omitempty"`
	Count     int      `json:"count,omitempty"`
	ToNumber  string   `json:"to_number,omitempty"`
}

// UnmarshalJSON takes ids as strings or as numbers. It reads the shape only;
// the rules are LaunchVerifier's.
func (c *Ctx) UnmarshalJSON(b []byte) error {
	o := readObject(b, "ctx")
	*c = readCtx(o)
	return o.err()
}

func readCtx(o object) Ctx {
	c := Ctx{
		Mode: o.text("mode"), Module: o.text("module"), RecordIDs: o.ids("record_ids"),
		Selection: o.id("selection"), ToNumber: o.text("to_number"),
	}
	if n := o.whole("count"); n != nil {
		c.Count = int(*n)
	}
	return c
}

// isLabel reports whether s is one DNS label by RFC 1123, in lower case.
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
