package sandbox

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"dialpad-texting/integrations/crm"
)

//go:embed css js
var assets embed.FS

//go:embed html
var htmlFiles embed.FS

const userCookie = "crm_user"

// plans are what this CRM sells. Whether a plan includes Dialpad is for the
// app to say; the words here are only the price list's.
var plans = []plan{
	{"starter", "Starter", "$19", "Contacts and deals", false},
	{"business", "Business", "$49", "Adds automation and Dialpad texting", true},
	{"enterprise", "Enterprise", "$89", "Adds single sign-on, Dialpad texting included", true},
}

type plan struct {
	ID, Name, Price, About string
	Dialpad                bool
}

// view is what every tenant page shows around its own Body.
type view struct {
	Title, Section string
	AppURL         string
	Tenant         crm.Tenant
	User           crm.User
	Users          []choice
	Plans          []plan
	Path, Note     string
	Body           any
}

type choice struct {
	ID, Name, Note string
	Chosen         bool
}

type tenantKey struct{}

func withTenant(r *http.Request, t *tenant) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), tenantKey{}, t))
}

func tenantOf(r *http.Request) *tenant { return r.Context().Value(tenantKey{}).(*tenant) }

func (s *Sandbox) tenantRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", assetHandler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.contactsPage(w, r) })
	mux.HandleFunc("GET /contacts", s.contactsPage)
	mux.HandleFunc("GET /contacts/{id}", s.contactPage)
	mux.HandleFunc("GET /contacts/{id}/timeline", s.contactTimeline)
	mux.HandleFunc("POST /contacts/{id}/optout", s.postOptOut)
	mux.HandleFunc("POST /contacts/{id}/erase", s.postErase)
	mux.HandleFunc("GET /deals", s.dealsPage)
	mux.HandleFunc("GET /deals/{id}", s.dealPage)
	mux.HandleFunc("GET /deals/{id}/timeline", s.dealTimeline)
	mux.HandleFunc("GET /apps", s.appsPage)
	mux.HandleFunc("GET /apps/dialpad", s.framed("Dialpad", "setup", "/apps/dialpad"))
	mux.HandleFunc("GET /texts", s.framed("Texts", "texts", "/texts"))
	mux.HandleFunc("GET /users", s.usersPage)
	mux.HandleFunc("POST /users/{id}/deactivate", s.postDeactivate)
	mux.HandleFunc("GET /automation", s.automationPage)
	mux.HandleFunc("POST /automation", s.postAutomation)
	mux.HandleFunc("POST /automation/run", s.postRun)
	mux.HandleFunc("GET /automation/runs", s.runsFragment)
	mux.HandleFunc("POST /automation/options", s.postOptions)
	mux.HandleFunc("POST /token", s.postToken)
	mux.HandleFunc("POST /selection", s.postSelection)
	mux.HandleFunc("POST /user", s.postUser)
	mux.HandleFunc("POST /plan", s.postPlan)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.notFound(w, "There is no such page.") })
	return mux
}

func (s *Sandbox) rootRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", assetHandler())
	mux.HandleFunc("GET /{$}", s.startPage)
	mux.HandleFunc("GET /switches", s.switchesPage)
	mux.HandleFunc("POST /switches/faults", s.postFault)
	mux.HandleFunc("POST /switches/mend", s.postMend)
	mux.HandleFunc("POST /{linkname}", s.serveAPI)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.notFound(w, "There is no such page.") })
	return mux
}

func assetHandler() http.Handler {
	return http.StripPrefix("/assets/", http.FileServerFS(assets))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // embedded: a slip of ours
	}
	return v
}

var layouts = parseTemplates()

// parseTemplates makes one set per page: the layout, the shared pieces, the page.
func parseTemplates() map[string]*template.Template {
	base := template.Must(template.New("").Funcs(helpers).ParseFS(htmlFiles, "html/layout.html", "html/parts.html"))
	sets := map[string]*template.Template{}
	for _, name := range must(fs.Glob(htmlFiles, "html/*.html")) {
		page := strings.TrimSuffix(strings.TrimPrefix(name, "html/"), ".html")
		if page == "layout" || page == "parts" {
			continue
		}
		sets[page] = template.Must(template.Must(base.Clone()).ParseFS(htmlFiles, name))
	}
	return sets
}

// render writes a whole page or nothing of it.
func (s *Sandbox) render(w http.ResponseWriter, status int, page, block string, v any) {
	var out bytes.Buffer
	if err := layouts[page].ExecuteTemplate(&out, block, v); err != nil {
		s.log.Error("crm sandbox: page failed", "page", page, "error", err)
		http.Error(w, "The sandbox could not draw this page.", http.StatusInternalServerError)
		return
	}
	appURL, _ := s.addresses()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' "+appURL+"; style-src 'self' "+appURL+
		"; img-src 'self' data: "+appURL+"; font-src 'self' "+appURL+"; connect-src 'self' "+appURL+"; frame-src "+appURL+
		"; form-action 'self' "+appURL+"; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w)
}

// page renders one page of the tenant's CRM. make fills in the body and is
// called with the world locked for reading.
func (s *Sandbox) page(w http.ResponseWriter, r *http.Request, name string, fill func(t *tenant, u *user, v *view) bool) {
	t := tenantOf(r)
	s.mu.RLock()
	u := t.currentUser(r)
	v := &view{AppURL: s.appURL, Tenant: t.wire(), User: t.wireUser(u), Plans: plans, Path: r.URL.RequestURI(), Note: notes[r.URL.Query().Get("note")]}
	for _, o := range t.users {
		if len(v.Users) < 20 || o == u {
			v.Users = append(v.Users, choice{o.id, o.name(), o.note, o == u})
		}
	}
	ok := fill(t, u, v)
	s.mu.RUnlock()
	if !ok {
		s.notFound(w, "There is no such record, or you may not see it.")
		return
	}
	s.render(w, http.StatusOK, name, "layout", v)
}

func (s *Sandbox) notFound(w http.ResponseWriter, why string) {
	s.render(w, http.StatusNotFound, "error", "bare", map[string]any{"Title": "Not found", "Why": why})
}

// currentUser is the one in the cookie, else the first; mu is held.
func (t *tenant) currentUser(r *http.Request) *user {
	if c, err := r.Cookie(userCookie); err == nil {
		if u := t.user(c.Value); u != nil {
			return u
		}
	}
	return t.users[0]
}

// notes are the sentences a redirect may show.
var notes = map[string]string{
	"plan":      "Plan changed. Dialpad was told.",
	"plan_lost": "Plan changed, but Dialpad could not be told: it does not answer.",
	"told":      "Saved. Dialpad was told.",
	"untold":    "Saved, but Dialpad could not be told: it does not answer.",
	"saved":     "Automation saved.",
	"ran":       "Automation started.",
	"nobody":    "No such record to run it for.",
}

// back redirects to where a form was sent from, with a note.
func back(w http.ResponseWriter, r *http.Request, note string) {
	to := r.PostFormValue("back")
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) {
		to = "/"
	}
	path, query, _ := strings.Cut(to, "?")
	parts := slices.DeleteFunc(strings.Split(query, "&"), func(p string) bool { return p == "" || strings.HasPrefix(p, "note=") })
	if note != "" {
		parts = append(parts, "note="+note)
	}
	if len(parts) > 0 {
		path += "?" + strings.Join(parts, "&")
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}
