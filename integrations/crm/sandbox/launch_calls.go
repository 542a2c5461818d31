package sandbox

import (
	"encoding/json"
	"net/http"

	"dialpad-texting/integrations/crm"
)

// launchCalls are the calls of the pages' script for the app's popup.
type launchCalls struct{ *Tenants }

func (s *launchCalls) register(mux *http.ServeMux) {
	mux.HandleFunc("POST /token", s.createToken)
	mux.HandleFunc("POST /selection", s.createSelection)
}

// createToken answers {"use","ctx"} with {"token"}, a launch token for
// the current user. The ctx must name records that the user may see.
func (s *launchCalls) createToken(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Use string            `json:"use"`
		Ctx *crm.LaunchTarget `json:"ctx"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil {
		writeAnswer(w, nil, badRequest("the request cannot be read"))
		return
	}
	t := tenantOf(r)
	s.mu.RLock()
	u := t.currentUser(r)
	err := t.checkLaunch(u, in.Use, in.Ctx)
	s.mu.RUnlock()
	if err != nil {
		writeAnswer(w, nil, err)
		return
	}
	token, err := s.Token(t.id, u.id, in.Use, in.Ctx)
	writeAnswer(w, map[string]any{"token": token}, err)
}

func (t *tenant) checkLaunch(u *user, use string, c *crm.LaunchTarget) error {
	switch {
	case use == crm.UsePage && c == nil:
		return nil
	case use != crm.UsePopup || c == nil:
		return badRequest("a popup has a ctx, a page has none")
	}
	for _, id := range c.RecordIDs {
		if c.Module == crm.ModuleDeal && t.dealByID[id] == nil || c.Module != crm.ModuleDeal && t.visible(id, u) == nil {
			return badRequest("no such record")
		}
	}
	if sel, ok := t.selections[c.Selection]; ok {
		c.Count = len(sel.ids)
	} else if c.Selection != "" {
		return badRequest("no such selection")
	}
	return nil
}

// createSelection is "select all". It answers {"module","q"} with
// {"selection","count"}.
func (s *launchCalls) createSelection(w http.ResponseWriter, r *http.Request) {
	var in struct{ Module, Q string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in)
	if err != nil || (in.Module != crm.ModuleContact && in.Module != crm.ModuleDeal) {
		writeAnswer(w, nil, badRequest("the request cannot be read"))
		return
	}
	t := tenantOf(r)
	s.mu.RLock()
	u := t.currentUser(r)
	s.mu.RUnlock()
	id, count, err := s.Select(t.id, u.id, in.Module, in.Q)
	writeAnswer(w, map[string]any{"selection": id, "count": count}, err)
}
