package sandbox

import (
	"net/http"
	"strconv"
	"time"

	"dialpad-texting/integrations/crm"
)

// framed is a page that shows one of the app's pages in an iframe: its script
// posts a launch token into it by form.
func (s *Sandbox) framed(title, section, path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.page(w, r, "frame", func(_ *tenant, _ *user, v *view) bool {
			v.Title, v.Section, v.Body = title, section, v.AppURL+path
			return true
		})
	}
}

func (s *Sandbox) appsPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, "apps", func(_ *tenant, _ *user, v *view) bool {
		v.Title, v.Section = "Apps", "setup"
		return true
	})
}

type userRow struct {
	crm.User
	Note     string
	Inactive bool
}

func (s *Sandbox) usersPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, "users", func(t *tenant, _ *user, v *view) bool {
		var list []userRow
		for _, u := range t.users[:min(len(t.users), 200)] {
			list = append(list, userRow{t.wireUser(u), u.note, u.inactive})
		}
		v.Title, v.Section, v.Body = "Users", "setup", list
		return true
	})
}

func (s *Sandbox) postDeactivate(w http.ResponseWriter, r *http.Request) {
	t := tenantOf(r)
	id := r.PathValue("id")
	s.mu.RLock()
	u := t.user(id)
	s.mu.RUnlock()
	if u == nil {
		s.notFound(w, "There is no such person.")
		return
	}
	s.Deactivate(t.id, id)
	note := "told"
	if s.SendEvent(r.Context(), t.id, crm.EventUserDeactivated, map[string]any{"user_id": s.wireID(id), "email": u.email}) != nil {
		note = "untold"
	}
	back(w, r, note)
}

type tenantCard struct {
	crm.Tenant
	Origin        string
	People, Deals int
}

func (s *Sandbox) startPage(w http.ResponseWriter, _ *http.Request) {
	s.mu.RLock()
	var cards []tenantCard
	for _, t := range s.tenants {
		cards = append(cards, tenantCard{t.wire(), s.origin(t), len(t.people), len(t.deals)})
	}
	s.mu.RUnlock()
	s.render(w, http.StatusOK, "start", "bare", map[string]any{"Title": "Tenants", "Tenants": cards})
}

type faultRow struct {
	Type, Kind, Left string
	Delay            time.Duration
}

// faultKinds in the words of the switches page.
var faultKinds = []choice{
	{ID: FaultSlow, Name: "Slow (5 s)"}, {ID: FaultDown, Name: "Down (503)"}, {ID: FaultError, Name: "Broken (500)"},
	{ID: FaultGarbageHTML, Name: "A page instead of JSON"}, {ID: FaultGarbageJSON, Name: "Another API's JSON"}, {ID: FaultRefuse, Name: "Refused (403)"},
}

var callTypes = []string{
	crm.CallRecords, crm.CallFields, crm.CallTemplate, crm.CallUsers, crm.CallActivity, crm.CallOptOut, crm.CallComplete,
}

func (s *Sandbox) switchesPage(w http.ResponseWriter, _ *http.Request) {
	var rows []faultRow
	for _, f := range s.Faults() {
		left := "until mended"
		if f.Next > 0 {
			left = "next " + strconv.Itoa(f.Next)
		}
		rows = append(rows, faultRow{f.Type, f.Kind, left, f.Delay})
	}
	calls := s.Calls()
	recent := []CallRecord{}
	for i := len(calls) - 1; i >= 0 && len(recent) < 20; i-- {
		recent = append(recent, calls[i])
	}
	s.render(w, http.StatusOK, "switches", "bare", map[string]any{
		"Title": "Switches", "Faults": rows, "Kinds": faultKinds, "Types": callTypes, "Calls": recent, "Total": len(calls),
	})
}

func (s *Sandbox) postFault(w http.ResponseWriter, r *http.Request) {
	next, err := strconv.Atoi(r.PostFormValue("next"))
	kind := r.PostFormValue("kind")
	known := false
	for _, k := range faultKinds {
		known = known || k.ID == kind
	}
	if err != nil || next < 0 || !known {
		s.notFound(w, "There is no such fault.")
		return
	}
	s.Break(Fault{Type: r.PostFormValue("type"), Kind: kind, Next: next, Delay: 5 * time.Second})
	http.Redirect(w, r, "/switches", http.StatusSeeOther)
}

func (s *Sandbox) postMend(w http.ResponseWriter, r *http.Request) {
	s.Mend()
	http.Redirect(w, r, "/switches", http.StatusSeeOther)
}
