package sandbox

import (
	"crypto/rand"
	"fmt"
	"slices"

	"dialpad-texting/integrations/crm"
)

// Token mints a launch token for a user, as the CRM's own pages do; ctx is nil
// for pages. Tenants go by id or linkname.
func (s *Sandbox) Token(tenantKey, userID, use string, ctx *crm.Ctx) (string, error) {
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
	return s.opts.Secrets.SignLaunch(crm.LaunchFor(t.wire(), t.wireUser(u), use, ctx, s.origin(t), rand.Text(), s.now()))
}

// origin is where the tenant's pages are; mu is held.
func (s *Sandbox) origin(t *tenant) string { return "http://" + t.linkname + "." + s.domain }

// Origin is where the tenant's pages are: http://acme.localhost:8090.
func (s *Sandbox) Origin(tenantKey string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tenant(tenantKey); t != nil {
		return s.origin(t)
	}
	return ""
}

// Tenant is the tenant block as the CRM signs it now.
func (s *Sandbox) Tenant(tenantKey string) crm.Tenant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tenant(tenantKey); t != nil {
		return t.wire()
	}
	return crm.Tenant{}
}

// Select makes a selection of the module's records whose words match q ("" is
// all) and says how many there are, as "select all" does for that user.
func (s *Sandbox) Select(tenantKey, userID, module, q string) (id string, count int, err error) {
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
		if mayUse(u, p.owner, p.private) && contains(q, p.first, p.last, p.company, p.city, p.title, p.mobile, p.phone, p.work) {
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
		if contains(q, d.title, d.stage, name) {
			out = append(out, d)
		}
	}
	return out
}

// SetPlan changes the plan that tokens and events carry from now on. It tells
// nobody: SendEvent(…, crm.EventPlanChanged, nil) does.
func (s *Sandbox) SetPlan(tenantKey, plan string) {
	s.change(tenantKey, func(t *tenant) { t.plan = plan })
}

// Rename changes the tenant's name, likewise.
func (s *Sandbox) Rename(tenantKey, name string) {
	s.change(tenantKey, func(t *tenant) { t.name = name })
}

// OptOut marks a number as opted out in the CRM, likewise.
func (s *Sandbox) OptOut(tenantKey, number string) {
	s.change(tenantKey, func(t *tenant) { t.setOptOut(number, true) })
}

// OptIn takes it back, likewise.
func (s *Sandbox) OptIn(tenantKey, number string) {
	s.change(tenantKey, func(t *tenant) { t.setOptOut(number, false) })
}

// IsOptedOut reports what the CRM knows about a number.
func (s *Sandbox) IsOptedOut(tenantKey, number string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tenant(tenantKey)
	return t != nil && t.optedOut[digits(number)]
}

// Deactivate makes a user inactive, likewise.
func (s *Sandbox) Deactivate(tenantKey, userID string) {
	s.change(tenantKey, func(t *tenant) {
		if u := t.user(userID); u != nil {
			u.inactive = true
		}
	})
}

// SetNumber changes one number of a contact: key is mobile, phone or work.
func (s *Sandbox) SetNumber(tenantKey, contactID, key, number string) {
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

// DeleteContact removes a contact; its id is missing from then on.
func (s *Sandbox) DeleteContact(tenantKey, contactID string) {
	s.change(tenantKey, func(t *tenant) {
		delete(t.personByID, contactID)
		t.people = slices.DeleteFunc(t.people, func(p *person) bool { return p.id == contactID })
	})
}

// SetNumberIDs switches between ids as strings and ids as JSON numbers.
func (s *Sandbox) SetNumberIDs(on bool) { s.numberIDs.Store(on) }

func (s *Sandbox) change(tenantKey string, do func(*tenant)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tenant(tenantKey); t != nil {
		do(t)
		t.version++
	}
}

// Calls are the app's signed calls, oldest first (the last ten thousand).
func (s *Sandbox) Calls() []CallRecord {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]CallRecord(nil), s.calls...)
}
