package sandbox

import (
	"net/http"
	"slices"

	"dialpad-texting/integrations/crm"
)

// setupPages are the pages of apps, users and plans.
type setupPages struct {
	*pageRenderer
	tenantStore *Tenants
	app         *AppClient
}

func (s *setupPages) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /apps", s.appsPage)
	mux.HandleFunc("GET /apps/dialpad", s.framed("Dialpad", "setup", "/apps/dialpad"))
	mux.HandleFunc("GET /texts", s.framed("Texts", "texts", "/texts"))
	mux.HandleFunc("GET /users", s.usersPage)
	mux.HandleFunc("POST /users/{id}/deactivate", s.deactivateUser)
	mux.HandleFunc("POST /user", s.switchUser)
	mux.HandleFunc("POST /plan", s.changePlan)
}

// framed shows one of the app's pages in an iframe. The page's script
// posts a launch token into it.
func (s *setupPages) framed(title, section, path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.page(w, r, "frame", func(_ *tenant, _ *user, v *view) bool {
			v.Title, v.Section, v.Body = title, section, v.AppURL+path
			return true
		})
	}
}

func (s *setupPages) appsPage(w http.ResponseWriter, r *http.Request) {
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

func (s *setupPages) usersPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, "users", func(t *tenant, _ *user, v *view) bool {
		var list []userRow
		for _, u := range t.users[:min(len(t.users), 200)] {
			list = append(list, userRow{t.userToCRM(u), u.note, u.inactive})
		}
		v.Title, v.Section, v.Body = "Users", "setup", list
		return true
	})
}

func (s *setupPages) deactivateUser(w http.ResponseWriter, r *http.Request) {
	t := tenantOf(r)
	id := r.PathValue("id")
	s.mu.RLock()
	u := t.user(id)
	s.mu.RUnlock()
	if u == nil {
		s.notFound(w, "There is no such person.")
		return
	}
	s.tenantStore.Deactivate(t.id, id)
	note := "notified"
	data := map[string]any{"user_id": s.jsonID(id), "email": u.email}
	if s.app.SendEvent(r.Context(), t.id, crm.EventUserDeactivated, data) != nil {
		note = "not_notified"
	}
	redirectBack(w, r, note)
}

// switchUser changes the logged-in user. There are no passwords.
func (s *setupPages) switchUser(w http.ResponseWriter, r *http.Request) {
	t := tenantOf(r)
	s.mu.RLock()
	u := t.user(r.PostFormValue("user"))
	s.mu.RUnlock()
	if u == nil {
		s.notFound(w, "There is no such person.")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: userCookie, Value: u.id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	redirectBack(w, r, "")
}

// changePlan changes the plan and sends the event.
func (s *setupPages) changePlan(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("plan")
	if !slices.ContainsFunc(plans, func(p plan) bool { return p.ID == id }) {
		s.notFound(w, "There is no such plan.")
		return
	}
	t := tenantOf(r)
	s.tenantStore.SetPlan(t.id, id)
	note := "plan"
	if err := s.app.SendEvent(r.Context(), t.id, crm.EventPlanChanged, nil); err != nil {
		s.log.Warn("crm sandbox: send plan change failed", "error", err)
		note = "plan_not_notified"
	}
	redirectBack(w, r, note)
}

// plans is the price list. Whether a plan really includes Dialpad is
// configured in the app.
var plans = []plan{
	{"starter", "Starter", "$19", "Contacts and deals", false},
	{"business", "Business", "$49", "Adds automation and Dialpad texting", true},
	{"enterprise", "Enterprise", "$89", "Adds single sign-on, Dialpad texting included", true},
}

type plan struct {
	ID, Name, Price, About string
	Dialpad                bool
}
