package sandbox

import (
	"encoding/json"
	"net/http"

	"dialpad-texting/integrations/crm"
)

// postToken mints a launch token for the person of this page:
// {"use","ctx"} → {"token"}. What the ctx names must exist for that person.
func (s *Sandbox) postToken(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Use string   `json:"use"`
		Ctx *crm.Ctx `json:"ctx"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&ask); err != nil {
		s.answer(w, nil, refuse("the request cannot be read"))
		return
	}
	t := tenantOf(r)
	s.mu.RLock()
	u := t.currentUser(r)
	err := t.checkAsk(u, ask.Use, ask.Ctx)
	s.mu.RUnlock()
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	token, err := s.Token(t.id, u.id, ask.Use, ask.Ctx)
	s.answer(w, map[string]any{"token": token}, err)
}

func (t *tenant) checkAsk(u *user, use string, c *crm.Ctx) error {
	switch {
	case use == crm.UsePage && c == nil:
		return nil
	case use != crm.UsePopup || c == nil:
		return refuse("a popup has a ctx, a page has none")
	}
	for _, id := range c.RecordIDs {
		if c.Module == crm.ModuleDeal && t.dealByID[id] == nil || c.Module != crm.ModuleDeal && t.visible(id, u) == nil {
			return refuse("no such record")
		}
	}
	if sel, ok := t.selections[c.Selection]; ok {
		c.Count = len(sel.ids)
	} else if c.Selection != "" {
		return refuse("no such selection")
	}
	return nil
}

// postSelection is "select all": {"module","q"} → {"selection","count"}.
func (s *Sandbox) postSelection(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Module, Q string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&ask)
	if err != nil || (ask.Module != crm.ModuleContact && ask.Module != crm.ModuleDeal) {
		s.answer(w, nil, refuse("the request cannot be read"))
		return
	}
	t := tenantOf(r)
	s.mu.RLock()
	u := t.currentUser(r)
	s.mu.RUnlock()
	id, count, err := s.Select(t.id, u.id, ask.Module, ask.Q)
	s.answer(w, map[string]any{"selection": id, "count": count}, err)
}

// postUser changes who is logged in. There are no passwords: it is a sandbox.
func (s *Sandbox) postUser(w http.ResponseWriter, r *http.Request) {
	t := tenantOf(r)
	s.mu.RLock()
	u := t.user(r.PostFormValue("user"))
	s.mu.RUnlock()
	if u == nil {
		s.notFound(w, "There is no such person.")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: userCookie, Value: u.id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	back(w, r, "")
}

// postPlan changes the plan and tells the app.
func (s *Sandbox) postPlan(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("plan")
	for _, p := range plans {
		if p.ID != id {
			continue
		}
		t := tenantOf(r)
		s.SetPlan(t.id, id)
		note := "plan"
		if err := s.SendEvent(r.Context(), t.id, crm.EventPlanChanged, nil); err != nil {
			s.log.Warn("crm sandbox: plan change not told", "error", err)
			note = "plan_lost"
		}
		back(w, r, note)
		return
	}
	s.notFound(w, "There is no such plan.")
}
