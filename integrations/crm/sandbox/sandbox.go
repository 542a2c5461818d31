// Package sandbox is a CRM to develop and test against: it speaks the CRM's side
// of the contract in package crm over real HTTP, and has pages to click through.
//
// One handler serves three things, told apart by host and method: the tenants'
// pages (http://acme.localhost:8090), the signed API (POST /{linkname}), and at
// the bare domain a start page with switches for trouble. Everything is in
// memory. Nothing in the product knows that it talks to a sandbox.
package sandbox

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dialpad-texting/integrations/crm"
)

// Options say where the sandbox and the app are.
type Options struct {
	AppURL  string      // the app's origin, http://127.0.0.1:8080
	Secrets crm.Secrets // shared with the app
	Domain  string      // tenants live under it: localhost:8090
	Now     func() time.Time
	Log     *slog.Logger
	HTTP    *http.Client // for events and automations; nil is a client of our own

	NumberIDs bool // answer ids that are whole numbers as JSON numbers
	PageSize  int  // of templates.list and users.list, 0 is 100
}

// Sandbox is the CRM. It is safe for concurrent use.
type Sandbox struct {
	opts   Options
	now    func() time.Time
	log    *slog.Logger
	client *http.Client
	pages  http.Handler
	root   http.Handler

	numberIDs atomic.Bool

	mu          sync.RWMutex
	appURL      string
	domain      string
	tenants     []*tenant
	faults      []Fault
	calls       []CallRecord
	answered    map[string]bool // webhook-ids of writes that were applied
	completions []Completion
	seq         int64
}

// New makes a CRM with the sample world: Acme Inc with sixty people, Globex
// with four.
func New(o Options) *Sandbox {
	s := &Sandbox{
		opts: o, now: o.Now, log: o.Log, client: o.HTTP,
		appURL: strings.TrimRight(o.AppURL, "/"), domain: o.Domain,
		answered: map[string]bool{},
	}
	s.numberIDs.Store(o.NumberIDs)
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.client == nil {
		s.client = &http.Client{Timeout: 15 * time.Second}
	}
	// The app keeps the highest seq it applied, perhaps longer than this process
	// lives, so a new sandbox must not begin at 1 again.
	s.seq = s.now().UnixMilli()
	s.tenants = sampleWorld()
	guard := http.NewCrossOriginProtection()
	s.pages = guard.Handler(s.tenantRoutes())
	s.root = guard.Handler(s.rootRoutes())
	return s
}

// Configure tells where the app and the sandbox itself are, for those who know
// only after listening.
func (s *Sandbox) Configure(appURL, domain string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.appURL, s.domain = strings.TrimRight(appURL, "/"), domain
}

func (s *Sandbox) addresses() (appURL, domain string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.appURL, s.domain
}

// ServeHTTP sends tenants' hosts to their pages and the rest to the root.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if label, ok := s.tenantLabel(r.Host); ok {
		if t := s.tenant(label); t != nil {
			s.pages.ServeHTTP(w, withTenant(r, t))
			return
		}
		s.notFound(w, "There is no such tenant.")
		return
	}
	s.root.ServeHTTP(w, r)
}

// tenantLabel takes acme out of acme.localhost:8090. Ports are not compared,
// so that a proxy or a test on port 0 may stand in between.
func (s *Sandbox) tenantLabel(host string) (string, bool) {
	_, domain := s.addresses()
	label, ok := strings.CutSuffix(hostname(host), "."+hostname(domain))
	return label, ok && label != ""
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		hostport = host
	}
	return strings.ToLower(hostport)
}

// tenant finds one by id or linkname, nil if there is none.
func (s *Sandbox) tenant(key string) *tenant {
	for _, t := range s.tenants {
		if t.id == key || t.linkname == key {
			return t
		}
	}
	return nil
}
