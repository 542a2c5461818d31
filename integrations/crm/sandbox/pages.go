package sandbox

import (
	"bytes"
	"context"
	"embed"
	"fmt"
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

const (
	userCookie    = "crm_user"
	maxUsersShown = 20 // in the menu of users
)

// view is what every page of a tenant shows around its Body.
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

func assetHandler() http.Handler {
	return http.StripPrefix("/assets/", http.FileServerFS(assets))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the files are embedded
	}
	return v
}

var layouts = parseTemplates()

// parseTemplates returns a set per page: layout, shared parts, page.
func parseTemplates() map[string]*template.Template {
	base := template.Must(template.New("").Funcs(templateFuncs).ParseFS(htmlFiles, "html/layout.html", "html/parts.html"))
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

// pageRenderer renders pages and parts of them.
type pageRenderer struct{ *state }

// render writes a whole page or, if the template fails, none of it.
func (s *pageRenderer) render(w http.ResponseWriter, status int, page, block string, v any) {
	var out bytes.Buffer
	if err := layouts[page].ExecuteTemplate(&out, block, v); err != nil {
		s.log.Error("crm sandbox: render page failed", "page", page, "error", err)
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

// page renders one page of the tenant's CRM. fill sets the body under
// the read lock; false means that there is no such record.
func (s *pageRenderer) page(w http.ResponseWriter, r *http.Request, name string, fill func(t *tenant, u *user, v *view) bool) {
	t := tenantOf(r)
	s.mu.RLock()
	u := t.currentUser(r)
	v := &view{
		AppURL: s.appURL, Tenant: t.toCRM(), User: t.userToCRM(u), Plans: plans,
		Path: r.URL.RequestURI(), Note: notes[r.URL.Query().Get("note")],
	}
	for _, o := range t.users {
		if len(v.Users) < maxUsersShown || o == u {
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

func (s *pageRenderer) notFound(w http.ResponseWriter, why string) {
	s.render(w, http.StatusNotFound, "error", "bare", map[string]any{"Title": "Not found", "Why": why})
}

// currentUser returns the user in the cookie, else the first. The
// caller holds mu.
func (t *tenant) currentUser(r *http.Request) *user {
	if c, err := r.Cookie(userCookie); err == nil {
		if u := t.user(c.Value); u != nil {
			return u
		}
	}
	return t.users[0]
}

// notes are the sentences that a redirect may show.
var notes = map[string]string{
	"plan":              "Plan changed. Dialpad was told.",
	"plan_not_notified": "Plan changed, but Dialpad could not be told: it does not answer.",
	"notified":          "Saved. Dialpad was told.",
	"not_notified":      "Saved, but Dialpad could not be told: it does not answer.",
	"saved":             "Automation saved.",
	"ran":               "Automation started.",
	"no_record":         "No such record to run it for.",
}

// redirectBack redirects to the page of a form, with a note.
func redirectBack(w http.ResponseWriter, r *http.Request, note string) {
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

// fragment renders a live part of a page, or answers 304 while nothing
// has changed.
func (s *pageRenderer) fragment(w http.ResponseWriter, r *http.Request, page, block string, body func(*tenant) any) {
	t := tenantOf(r)
	s.mu.RLock()
	tag := fmt.Sprintf(`"%d"`, t.version)
	b := body(t)
	s.mu.RUnlock()
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.render(w, http.StatusOK, page, block, b)
}
