package sandbox

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"
)

//go:embed web
var webFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
	"join":  func(s []string) string { return strings.Join(s, ", ") },
}).ParseFS(webFiles, "web/*.html"))

// csp is the policy of every page. The consent page adds the app's origin to form-action: Chromium applies that rule to
// the redirect after the form as well.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'%s; base-uri 'none'; frame-ancestors 'none'"

// pages mounts what people look at. Forms are taken from these pages only.
func (s *Sandbox) pages(mux *http.ServeMux) {
	static, err := fs.Sub(webFiles, "web")
	if err != nil {
		panic(err) // the folder is embedded
	}
	own := http.NewCrossOriginProtection()
	form := func(f http.HandlerFunc) http.Handler { return own.Handler(f) }
	mux.Handle("GET /static/", http.StripPrefix("/static/", noSniff(http.FileServerFS(static))))
	mux.HandleFunc("GET /{$}", s.startPage)
	mux.HandleFunc("GET /oauth2/authorize", s.consentPage)
	mux.Handle("POST /oauth2/authorize", form(s.decide))
	mux.HandleFunc("GET /phones", s.phonesPage)
	mux.HandleFunc("GET /phones/threads", s.phoneThreads)
	mux.HandleFunc("GET /phones/events", s.phoneEvents)
	mux.Handle("POST /phones/reply", form(s.phoneReply))
	mux.HandleFunc("GET /admin", s.adminPage)
	mux.Handle("POST /admin/users/{id}", form(s.adminUser))
	mux.Handle("POST /admin/companies/{id}", form(s.adminCompany))
	mux.Handle("POST /admin/rate", form(s.adminRate))
	mux.Handle("POST /admin/faults", form(s.adminFault))
	mux.Handle("POST /admin/numbers", form(s.adminNumber))
	mux.HandleFunc("/", s.notFound)
}

func noSniff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

// frame is what the layout needs.
type frame struct {
	Title string
	Here  string // the path in the navigation that this page is
	Page  any
}

func (s *Sandbox) render(w http.ResponseWriter, status int, name, formAction string, data frame) {
	var page bytes.Buffer // first whole, then sent: a broken template must not end in half a page
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		s.log.Error("page could not be rendered", "page", name, "error", err)
		http.Error(w, "This page could not be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", fmt.Sprintf(csp, formAction))
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

func (s *Sandbox) startPage(w http.ResponseWriter, _ *http.Request) {
	s.mu.RLock()
	people := len(s.users)
	s.mu.RUnlock()
	s.render(w, http.StatusOK, "start.html", "", frame{Title: "Start", Here: "/", Page: map[string]any{
		"URL": s.opts.PublicURL, "Accepted": s.Accepted(), "People": people, "Faults": len(s.Faults()),
	}})
}

func (s *Sandbox) notFound(w http.ResponseWriter, _ *http.Request) {
	s.problemPage(w, http.StatusNotFound, "There is no such page here.")
}

func (s *Sandbox) problemPage(w http.ResponseWriter, status int, words string) {
	s.render(w, status, "problem.html", "", frame{Title: "Problem", Page: words})
}

// scopeWords say what a scope lets the app do.
var scopeWords = map[string]string{
	"offline_access":             "Stay connected while you are away",
	"change_log":                 "Be told when the company's settings or people change",
	"message_content_export":     "Read the words of your texts",
	"message_content_export:all": "Read the words of all the company's texts",
}

type consentPage struct {
	Action    string
	App       string
	Site      string
	Scopes    []string
	Companies []consentCompany
}

type consentCompany struct {
	Name  string
	Users []User
}

func (s *Sandbox) consentPage(w http.ResponseWriter, r *http.Request) {
	in := readConsent(r.URL.Query())
	if problem := s.problem(in); problem != "" {
		s.problemPage(w, http.StatusBadRequest, problem)
		return
	}
	if refused := s.refusedConsent(in, r.URL.Query().Get("response_type")); refused != "" {
		http.Redirect(w, r, back(in, "error", refused), http.StatusFound)
		return
	}
	page := consentPage{Action: r.URL.RequestURI(), App: in.ClientID, Site: origin(in.RedirectURI), Companies: s.consentCompanies()}
	for scope := range strings.FieldsSeq(in.Scope) {
		page.Scopes = append(page.Scopes, cmp.Or(scopeWords[scope], scope))
	}
	s.render(w, http.StatusOK, "authorize.html", " "+page.Site, frame{Title: "Allow access", Here: "/oauth2/authorize", Page: page})
}

func (s *Sandbox) consentCompanies() []consentCompany {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []consentCompany
	for _, c := range s.sortedCompanies() {
		cc := consentCompany{Name: c.name}
		for _, u := range c.users[:min(len(c.users), 50)] {
			cc.Users = append(cc.Users, *u)
		}
		out = append(out, cc)
	}
	return out
}

// decide is Allow or Deny.
func (s *Sandbox) decide(w http.ResponseWriter, r *http.Request) {
	in := readConsent(r.URL.Query())
	if problem := s.problem(in); problem != "" {
		s.problemPage(w, http.StatusBadRequest, problem)
		return
	}
	next := back(in, "error", "access_denied")
	if r.PostFormValue("decision") == "allow" {
		next = s.allow(in, r.PostFormValue("user"))
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
