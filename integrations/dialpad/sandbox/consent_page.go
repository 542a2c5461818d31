package sandbox

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
)

const maxUsersShown = 50 // per company, on any page

// scopeDescriptions says what a scope lets the app do.
var scopeDescriptions = map[string]string{
	"offline_access":             "Stay connected while you are away",
	"change_log":                 "Be told when the company's settings or people change",
	"message_content_export":     "Read the words of your texts",
	"message_content_export:all": "Read the words of all the company's texts",
}

type consentPages struct {
	*pageRenderer
	oauth *OAuthServer
}

func (p *consentPages) register(mux *http.ServeMux, form func(http.HandlerFunc) http.Handler) {
	mux.HandleFunc("GET /oauth2/authorize", p.show)
	mux.Handle("POST /oauth2/authorize", form(p.decide))
}

type consentView struct {
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

func (p *consentPages) show(w http.ResponseWriter, r *http.Request) {
	in := parseConsentRequest(r.URL.Query())
	if problem := p.oauth.checkClient(in); problem != "" {
		p.renderProblem(w, http.StatusBadRequest, problem)
		return
	}
	if code := p.oauth.checkRequest(in); code != "" {
		http.Redirect(w, r, in.redirect("error", code), http.StatusFound)
		return
	}
	view := consentView{
		Action: r.URL.RequestURI(), App: cmp.Or(p.oauth.opts.AppName, in.ClientID), Site: origin(in.RedirectURI), Companies: p.companies(),
	}
	for scope := range strings.FieldsSeq(in.Scope) {
		view.Scopes = append(view.Scopes, cmp.Or(scopeDescriptions[scope], scope))
	}
	p.render(w, http.StatusOK, "authorize.html", " "+view.Site, layout{Title: "Allow access", Here: "/oauth2/authorize", Page: view})
}

func (p *consentPages) companies() []consentCompany {
	p.oauth.mu.RLock()
	defer p.oauth.mu.RUnlock()
	var out []consentCompany
	for _, c := range p.oauth.companiesByID() {
		view := consentCompany{Name: c.name}
		for _, u := range c.users[:min(len(c.users), maxUsersShown)] {
			view.Users = append(view.Users, *u)
		}
		out = append(out, view)
	}
	return out
}

// decide handles Allow and Deny.
func (p *consentPages) decide(w http.ResponseWriter, r *http.Request) {
	in := parseConsentRequest(r.URL.Query())
	if problem := p.oauth.checkClient(in); problem != "" {
		p.renderProblem(w, http.StatusBadRequest, problem)
		return
	}
	next := in.redirect("error", "access_denied")
	if r.PostFormValue("decision") == "allow" {
		next = p.oauth.allow(in, r.PostFormValue("user"))
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
