package sandbox

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"dialpad-texting/integrations/crm"
)

// tenant is one CRM account and all its data. id and linkname never
// change; state.mu guards the rest.
type tenant struct {
	id, linkname string
	name, plan   string
	timeZone     string
	userZone     string // of its users, if not the tenant's
	userLocale   string // of its users, "" for en-US

	users      []*user
	people     []*person
	deals      []*deal
	templates  []textTemplate
	personByID map[string]*person
	dealByID   map[string]*deal
	dealOf     map[string]*deal // newest deal by primary contact

	optedOut     map[string]bool                       // by normalizeNumber
	oddValues    map[string]map[string]json.RawMessage // by record id and field, see SetOddValue
	selections   map[string]selection
	activities   []*Activity
	activityByID map[string]*Activity
	inputs       map[string]string // saved in the automation builder
	runs         []*automationRun
	version      int // ETag of live pages
}

// user is a CRM user. note says what is special, in the menu of users.
type user struct {
	id, email   string
	first, last string
	role, phone string
	note        string
	inactive    bool
}

func (u *user) name() string { return u.first + " " + u.last }

// person is one contact. Numbers are as typed by people.
type person struct {
	id, first, last, title, company string
	mobile, phone, work             string
	owner, zone, city               string
	private                         bool // only its owner and admins may see it
}

func (p *person) name() string { return strings.TrimSpace(p.first + " " + p.last) }

func (p *person) email() string {
	local := strings.ToLower(strings.Map(emailLetter, p.first+"."+p.last))
	return strings.Trim(local, ".") + "@example.com"
}

// numbers returns the phone fields in the order of display.
func (p *person) numbers() []phone {
	return []phone{{"mobile", "Mobile", p.mobile}, {"phone", "Phone", p.phone}, {"work", "Work phone", p.work}}
}

type phone struct{ Key, Label, Number string }

// deal is one deal; contact is its primary contact's id, "" without one.
type deal struct {
	id, title, stage, contact, owner string
	value                            int
	closes                           time.Time
}

type textTemplate struct {
	ID     string `json:"id"`
	Folder string `json:"folder"`
	Name   string `json:"name"`
	Body   string `json:"body"`
}

// selection is the result of "select all": the ids at that time.
type selection struct {
	module string
	ids    []string
}

func (t *tenant) toCRM() crm.Tenant {
	return crm.Tenant{ID: t.id, Linkname: t.linkname, Name: t.name, Plan: t.plan, TimeZone: t.timeZone}
}

func (t *tenant) userToCRM(u *user) crm.User {
	return crm.User{ID: u.id, Email: u.email, Name: u.name(), Role: u.role, TimeZone: cmp.Or(t.userZone, t.timeZone), Locale: cmp.Or(t.userLocale, "en-US")}
}

func (t *tenant) user(id string) *user {
	for _, u := range t.users {
		if u.id == id {
			return u
		}
	}
	return nil
}

// canSee reports whether u may see a record of owner.
func canSee(u *user, owner string, private bool) bool {
	return !private || (u != nil && (u.role == crm.RoleAdmin || u.id == owner))
}

func (t *tenant) isOptedOut(p *person) bool {
	for _, n := range p.numbers() {
		if n.Number != "" && t.optedOut[normalizeNumber(n.Number)] {
			return true
		}
	}
	return false
}

func (t *tenant) addPerson(p *person) {
	t.people = append(t.people, p)
	t.personByID[p.id] = p
}

func (t *tenant) addDeal(d *deal) {
	t.deals = append(t.deals, d)
	t.dealByID[d.id] = d
	if d.contact != "" {
		t.dealOf[d.contact] = d
	}
}

// normalizeNumber returns the digits, with the country code 1 for a
// North American number.
func normalizeNumber(number string) string {
	only := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if len(only) == 10 {
		return "1" + only
	}
	return only
}

// emailLetter maps a letter of a name to one of an e-mail address.
func emailLetter(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '.':
		return r
	}
	if plain, ok := unaccented[r]; ok {
		return plain
	}
	return -1
}

var unaccented = map[rune]rune{
	'á': 'a', 'Á': 'A', 'é': 'e', 'è': 'e', 'ë': 'e', 'í': 'i', 'ö': 'o', 'ø': 'o', 'ń': 'n',
}

// setOptOut records an opt-out or opt-in. The caller holds mu.
func (t *tenant) setOptOut(number string, out bool) {
	t.version++
	if out {
		t.optedOut[normalizeNumber(number)] = true
	} else {
		delete(t.optedOut, normalizeNumber(number))
	}
}
