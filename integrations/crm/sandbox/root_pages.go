package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"dialpad-texting/integrations/crm"
)

// rootPages are the start page and the switches for faults.
type rootPages struct {
	*pageRenderer
	tenantStore *Tenants
	faults      *FaultInjector
}

func (s *rootPages) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.startPage)
	mux.HandleFunc("GET /switches", s.switchesPage)
	mux.HandleFunc("POST /switches/faults", s.addFault)
	mux.HandleFunc("POST /switches/mend", s.clearFaults)
}

type tenantCard struct {
	crm.Tenant
	Origin        string
	People, Deals int
}

func (s *rootPages) startPage(w http.ResponseWriter, _ *http.Request) {
	s.mu.RLock()
	var cards []tenantCard
	for _, t := range s.tenants {
		cards = append(cards, tenantCard{t.toCRM(), s.origin(t), len(t.people), len(t.deals)})
	}
	s.mu.RUnlock()
	s.render(w, http.StatusOK, "start", "bare", map[string]any{"Title": "Tenants", "Tenants": cards})
}

const (
	slowDelay     = 5 * time.Second
	maxCallsShown = 20
)

type faultRow struct {
	Type, Kind, Left string
	Delay            time.Duration
}

// faultKinds has the labels of the switches page.
var faultKinds = []choice{
	{ID: FaultSlow, Name: "Slow (5 s)"},
	{ID: FaultDown, Name: "Down (503)"},
	{ID: FaultError, Name: "Broken (500)"},
	{ID: FaultGarbageHTML, Name: "A page instead of JSON"},
	{ID: FaultGarbageJSON, Name: "Another API's JSON"},
	{ID: FaultRefuse, Name: "Refused (403)"},
}

var callTypes = []string{
	crm.CallRecords, crm.CallFields, crm.CallTemplate, crm.CallUsers, crm.CallActivity, crm.CallOptOut, crm.CallComplete,
}

func (s *rootPages) switchesPage(w http.ResponseWriter, _ *http.Request) {
	var rows []faultRow
	for _, f := range s.faults.Faults() {
		left := "until cleared"
		if f.Next > 0 {
			left = "next " + strconv.Itoa(f.Next)
		}
		rows = append(rows, faultRow{f.Type, f.Kind, left, f.Delay})
	}
	calls := s.tenantStore.Calls()
	recent := []CallRecord{}
	for i := len(calls) - 1; i >= 0 && len(recent) < maxCallsShown; i-- {
		recent = append(recent, calls[i])
	}
	s.render(w, http.StatusOK, "switches", "bare", map[string]any{
		"Title": "Switches", "Faults": rows, "Kinds": faultKinds, "Types": callTypes, "Calls": recent, "Total": len(calls),
	})
}

func (s *rootPages) addFault(w http.ResponseWriter, r *http.Request) {
	next, err := strconv.Atoi(r.PostFormValue("next"))
	kind := r.PostFormValue("kind")
	known := slices.ContainsFunc(faultKinds, func(k choice) bool { return k.ID == kind })
	if err != nil || next < 0 || !known {
		s.notFound(w, "There is no such fault.")
		return
	}
	s.faults.Break(Fault{Type: r.PostFormValue("type"), Kind: kind, Next: next, Delay: slowDelay})
	http.Redirect(w, r, "/switches", http.StatusSeeOther)
}

func (s *rootPages) clearFaults(w http.ResponseWriter, r *http.Request) {
	s.faults.Mend()
	http.Redirect(w, r, "/switches", http.StatusSeeOther)
}
