package sandbox

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

//go:embed web
var webFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
	"join":  func(s []string) string { return strings.Join(s, ", ") },
}).ParseFS(webFiles, "web/*.html"))

// contentSecurityPolicy is every page's. The consent page adds the
// app's origin to form-action: Chromium applies it to the redirect
// after the form as well.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'%s; base-uri 'none'; frame-ancestors 'none'"

// registerPages mounts the pages. Their forms accept same-origin requests only.
func registerPages(mux *http.ServeMux, s *Sandbox) {
	static, err := fs.Sub(webFiles, "web")
	if err != nil {
		panic(err) // the folder is embedded
	}
	sameOrigin := http.NewCrossOriginProtection()
	form := func(f http.HandlerFunc) http.Handler { return sameOrigin.Handler(f) }
	renderer := &pageRenderer{log: s.state.opts.Log}
	mux.Handle("GET /static/", http.StripPrefix("/static/", noSniff(http.FileServerFS(static))))
	mux.HandleFunc("GET /{$}", (&startPage{renderer, s}).show)
	(&consentPages{renderer, s.OAuthServer}).register(mux, form)
	(&phonesPages{renderer, s.state, s.PhoneNetwork, s.background}).register(mux, form)
	(&adminPages{renderer, s}).register(mux, form)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		renderer.renderProblem(w, http.StatusNotFound, "There is no such page here.")
	})
}

func noSniff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

// layout is what every page's layout needs.
type layout struct {
	Title string
	Here  string // path of the current navigation item
	Page  any
}

type pageRenderer struct{ log *slog.Logger }

// render writes a whole page or, if the template fails, none of it.
func (p *pageRenderer) render(w http.ResponseWriter, status int, name, formAction string, data layout) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		p.log.Error("render page failed", "page", name, "error", err)
		http.Error(w, "This page could not be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", fmt.Sprintf(contentSecurityPolicy, formAction))
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

func (p *pageRenderer) renderProblem(w http.ResponseWriter, status int, sentence string) {
	p.render(w, status, "problem.html", "", layout{Title: "Problem", Page: sentence})
}

type startPage struct {
	*pageRenderer
	sandbox *Sandbox
}

func (p *startPage) show(w http.ResponseWriter, _ *http.Request) {
	st := p.sandbox.state
	st.mu.RLock()
	people := len(st.users)
	st.mu.RUnlock()
	p.render(w, http.StatusOK, "start.html", "", layout{Title: "Start", Here: "/", Page: map[string]any{
		"URL": st.opts.PublicURL, "Accepted": p.sandbox.Accepted(), "People": people, "Faults": len(p.sandbox.Faults()),
	}})
}
