package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dialpad-texting/integrations/crm"
)

// Tenants holds the CRM's accounts, their users and records. A tenant's
// key is its id or linkname. Setters send no event; SendEvent does.
type Tenants struct{ *state }

// Token returns a launch token for a user, as the CRM's pages do. ctx
// is nil for pages.
func (s *Tenants) Token(tenantKey, userID, use string, ctx *crm.LaunchTarget) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tenant(tenantKey)
	if t == nil {
		return "", fmt.Errorf("crm sandbox: no tenant %q", tenantKey)
	}
	u := t.user(userID)
	if u == nil {
		return "", fmt.Errorf("crm sandbox: no user %q", userID)
	}
	return s.opts.Secrets.SignLaunch(crm.LaunchFor(t.toCRM(), t.userToCRM(u), use, ctx, s.origin(t), rand.Text(), s.now()))
}

// Origin returns the origin of the tenant's pages: http://acme.localhost:8090.
func (s *Tenants) Origin(tenantKey string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tenant(tenantKey); t != nil {
		return s.origin(t)
	}
	return ""
}

// Tenant returns the tenant as the CRM signs it now.
func (s *Tenants) Tenant(tenantKey string) crm.Tenant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tenant(tenantKey); t != nil {
		return t.toCRM()
	}
	return crm.Tenant{}
}

// Select makes a selection of the records that match q ("": all), as
// "select all" does for that user, and returns its id and size.
func (s *Tenants) Select(tenantKey, userID, module, q string) (id string, count int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenant(tenantKey)
	if t == nil {
		return "", 0, fmt.Errorf("crm sandbox: no tenant %q", tenantKey)
	}
	ids := t.search(module, q, t.user(userID))
	id = "sel_" + rand.Text()
	t.selections[id] = selection{module: module, ids: ids}
	return id, len(ids), nil
}

func (t *tenant) search(module, q string, u *user) []string {
	var ids []string
	if module == crm.ModuleDeal {
		for _, d := range t.findDeals(q) {
			ids = append(ids, d.id)
		}
		return ids
	}
	for _, p := range t.findPeople(q, u) {
		ids = append(ids, p.id)
	}
	return ids
}

func (t *tenant) findPeople(q string, u *user) []*person {
	var out []*person
	for _, p := range t.people {
		if canSee(u, p.owner, p.private) && containsWords(q, p.first, p.last, p.company, p.city, p.title, p.mobile, p.phone, p.work) {
			out = append(out, p)
		}
	}
	return out
}

func (t *tenant) findDeals(q string) []*deal {
	var out []*deal
	for _, d := range t.deals {
		name := ""
		if p := t.personByID[d.contact]; p != nil {
			name = p.name() + " " + p.company
		}
		if containsWords(q, d.title, d.stage, name) {
			out = append(out, d)
		}
	}
	return out
}

// SetPlan changes the plan in later tokens and events.
func (s *Tenants) SetPlan(tenantKey, plan string) {
	s.change(tenantKey, func(t *tenant) { t.plan = plan })
}

// OptOut marks a number as opted out in the CRM.
func (s *Tenants) OptOut(tenantKey, number string) {
	s.change(tenantKey, func(t *tenant) { t.setOptOut(number, true) })
}

// OptIn undoes OptOut.
func (s *Tenants) OptIn(tenantKey, number string) {
	s.change(tenantKey, func(t *tenant) { t.setOptOut(number, false) })
}

// IsOptedOut reports whether the CRM has a number as opted out.
func (s *Tenants) IsOptedOut(tenantKey, number string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tenant(tenantKey)
	return t != nil && t.optedOut[normalizeNumber(number)]
}

// Deactivate makes a user inactive.
func (s *Tenants) Deactivate(tenantKey, userID string) {
	s.change(tenantKey, func(t *tenant) {
		if u := t.user(userID); u != nil {
			u.inactive = true
		}
	})
}

// SetNumber changes one number of a contact: key is mobile, phone or work.
func (s *Tenants) SetNumber(tenantKey, contactID, key, number string) {
	s.change(tenantKey, func(t *tenant) {
		p := t.personByID[contactID]
		if p == nil {
			return
		}
		switch key {
		case "mobile":
			p.mobile = number
		case "phone":
			p.phone = number
		case "work":
			p.work = number
		}
	})
}

// SetUserTimeZone changes what launches say of the users' time zone.
func (s *Tenants) SetUserTimeZone(tenantKey, zone string) {
	s.change(tenantKey, func(t *tenant) { t.userZone = zone })
}

// SetUserLocale sets the locale of a tenant's users.
func (s *Tenants) SetUserLocale(tenantKey, locale string) {
	s.change(tenantKey, func(t *tenant) { t.userLocale = locale })
}

// SetFirstName renames a contact.
func (s *Tenants) SetFirstName(tenantKey, contactID, name string) {
	s.change(tenantKey, func(t *tenant) {
		if p := t.personByID[contactID]; p != nil {
			p.first = name
		}
	})
}

// SetTimeZone changes a contact's time zone to any text.
func (s *Tenants) SetTimeZone(tenantKey, contactID, zone string) {
	s.change(tenantKey, func(t *tenant) {
		if p := t.personByID[contactID]; p != nil {
			p.zone = zone
		}
	})
}

// DeleteContact deletes a contact. Its id is missing from then on.
func (s *Tenants) DeleteContact(tenantKey, contactID string) {
	s.change(tenantKey, func(t *tenant) {
		delete(t.personByID, contactID)
		t.people = slices.DeleteFunc(t.people, func(p *person) bool { return p.id == contactID })
	})
}

// SetOddValue makes records.resolve answer with this JSON as a field of
// one record, against the contract.
func (s *Tenants) SetOddValue(tenantKey, recordID, field, value string) {
	s.change(tenantKey, func(t *tenant) {
		if t.oddValues == nil {
			t.oddValues = map[string]map[string]json.RawMessage{}
		}
		if t.oddValues[recordID] == nil {
			t.oddValues[recordID] = map[string]json.RawMessage{}
		}
		t.oddValues[recordID][field] = json.RawMessage(value)
	})
}

// ClearOddValues ends every SetOddValue of the tenant.
func (s *Tenants) ClearOddValues(tenantKey string) {
	s.change(tenantKey, func(t *tenant) { t.oddValues = nil })
}

// SetNumberIDs switches between ids as strings and as JSON numbers.
func (s *Tenants) SetNumberIDs(on bool) { s.numberIDs.Store(on) }

// Calls returns the app's last calls (up to 10,000), oldest first.
func (s *Tenants) Calls() []CallRecord {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]CallRecord(nil), s.calls...)
}

// Activities returns the tenant's timeline, oldest first.
func (s *Tenants) Activities(tenantKey string) []Activity {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tenant(tenantKey)
	if t == nil {
		return nil
	}
	return t.timeline(func(Activity) bool { return true })
}

// timeline returns the selected activities, oldest first.
func (t *tenant) timeline(include func(Activity) bool) []Activity {
	var out []Activity
	for _, a := range t.activities {
		if include(*a) {
			out = append(out, *a)
		}
	}
	slices.SortStableFunc(out, func(a, b Activity) int { return a.time().Compare(b.time()) })
	return out
}

// time is the activity's place on the timeline.
func (a Activity) time() time.Time {
	if a.SentAt != nil {
		return *a.SentAt
	}
	return a.UpdatedAt
}
