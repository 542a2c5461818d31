// Package sandbox is a fake CRM to develop and test against. It speaks
// the CRM's side of the contract in package crm over HTTP, and has
// pages to click through.
//
// One handler serves three things, distinguished by host and method: the
// tenants' pages (http://acme.localhost:8090), the signed API (POST
// /{linkname}), and on the bare domain a start page with switches for
// faults. Everything is in memory. Nothing in the product knows that it
// talks to a sandbox.
package sandbox

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"dialpad-texting/integrations/crm"
)

// Options configure a sandbox.
type Options struct {
	AppURL  string           // the app's origin, http://127.0.0.1:8080
	Secrets crm.Secrets      // shared with the app
	Domain  string           // of the tenants: localhost:8090
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: none
	HTTP    *http.Client     // for calls to the app; nil: one with a timeout of 15 s

	NumberIDs bool // answer whole-number ids as JSON numbers
	PageSize  int  // of templates.list and users.list; 0: 100
}

// Sandbox is one fake CRM. It is safe for concurrent use.
//
// Its parts are embedded, so that their methods are the sandbox's own.
type Sandbox struct {
	*Tenants
	*AppClient
	*FaultInjector

	*state
	tenantPages http.Handler
	rootPages   http.Handler
}

// New returns a CRM with the sample tenants: Acme Inc with sixty
// people, Globex with four.
func New(o Options) *Sandbox {
	st := newState(o)
	client := o.HTTP
	if client == nil {
		client = &http.Client{Timeout: 15 * time.Second}
	}
	s := &Sandbox{
		Tenants:       &Tenants{st},
		AppClient:     &AppClient{state: st, client: client},
		FaultInjector: &FaultInjector{},
		state:         st,
	}
	sameOrigin := http.NewCrossOriginProtection()
	s.tenantPages = sameOrigin.Handler(s.tenantRoutes())
	s.rootPages = sameOrigin.Handler(s.rootRoutes())
	return s
}

// Configure sets the URLs of the app and the sandbox, for callers that
// know them only after listening.
func (s *Sandbox) Configure(appURL, domain string) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.appURL, s.domain = strings.TrimRight(appURL, "/"), domain
}

// ServeHTTP serves tenants' pages by host name, the rest at the root.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if linkname, ok := s.linknameOf(r.Host); ok {
		if t := s.tenant(linkname); t != nil {
			s.tenantPages.ServeHTTP(w, withTenant(r, t))
			return
		}
		(&pageRenderer{s.state}).notFound(w, "There is no such tenant.")
		return
	}
	s.rootPages.ServeHTTP(w, r)
}

// linknameOf returns acme for acme.localhost:8090. It ignores ports, so
// that a proxy or a test on port 0 may stand in between.
func (s *Sandbox) linknameOf(host string) (string, bool) {
	_, domain := s.addresses()
	linkname, ok := strings.CutSuffix(hostname(host), "."+hostname(domain))
	return linkname, ok && linkname != ""
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		hostport = host
	}
	return strings.ToLower(hostport)
}

func (s *Sandbox) tenantRoutes() http.Handler {
	mux := http.NewServeMux()
	renderer := &pageRenderer{s.state}
	mux.Handle("GET /assets/", assetHandler())
	(&recordPages{renderer, s.AppClient}).register(mux)
	(&setupPages{renderer, s.Tenants, s.AppClient}).register(mux)
	(&automationPages{renderer, s.AppClient}).register(mux)
	(&launchCalls{s.Tenants}).register(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { renderer.notFound(w, "There is no such page.") })
	return mux
}

func (s *Sandbox) rootRoutes() http.Handler {
	mux := http.NewServeMux()
	renderer := &pageRenderer{s.state}
	mux.Handle("GET /assets/", assetHandler())
	(&rootPages{renderer, s.Tenants, s.FaultInjector}).register(mux)
	mux.Handle("POST /{linkname}", &contractAPI{s.state, s.FaultInjector})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { renderer.notFound(w, "There is no such page.") })
	return mux
}
