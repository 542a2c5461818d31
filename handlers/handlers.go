// Package handlers is the HTTP door: it binds a request, makes one call to the floor below, and answers.
//
// routes.go lists every address. errors.go is the only place that turns an error into a status; everything else
// returns it. Who may call what is decided in sessions.go (pages) and calls.go (the CRM's servers).
package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"dialpad-texting/app/access"
	"dialpad-texting/app/accounts"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/install"
	"dialpad-texting/app/optout"
	"dialpad-texting/app/outbox"
	"dialpad-texting/app/popup"
	"dialpad-texting/config"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/static"
)

// Automation is the action that a CRM's workflow offers.
type Automation interface {
	// Definition describes the action; the tenant is the zero one where the CRM asks for nobody.
	Definition(ctx context.Context, t crm.Tenant) (crm.Definition, error)
	// Options lists what an input may be set to. Where it can't be used, its State says why.
	Options(ctx context.Context, q crm.OptionsQuery) (crm.Options, error)
	// Execute takes one call, once per callback id, for ever.
	Execute(ctx context.Context, e crm.Execute) (crm.Execution, error)
}

// Events applies what the CRM tells.
type Events interface {
	// Apply does what an event says. seq orders events about the same tenant, user or number: a lower one than already
	// applied changes nothing; nil is unordered. The tenant block has been stored before, in that order.
	Apply(ctx context.Context, e crm.Event, seq *int64) error
}

// Deps are what the door leads to. All are needed, but Now and Log.
type Deps struct {
	Config      config.Config
	Secrets     crm.Secrets // of Config, parsed
	Store       *models.Store
	Eligibility *eligibility.Checker
	Connector   *connection.Connector
	Connections *connection.Connections
	Installer   *install.Installer
	Access      *access.Access
	Accounts    *accounts.Accounts
	Popup       *popup.Popup
	Audience    *audience.Audience
	Batches     *batch.Batches
	Outbox      *outbox.Outbox
	OptOuts     *optout.OptOuts
	Automation  Automation
	Events      Events
	Pages       *static.Renderer
	Assets      http.Handler
	Registry    *prometheus.Registry

	Now          func() time.Time // nil is the store's clock
	Log          *slog.Logger     // nil is none
	WorkersFresh time.Duration    // how long ago a worker may have been seen; 0 is a minute
}

type server struct {
	Deps
	metrics *metrics
	cookies cookies
	calls   singleflight.Group // signed calls being answered now
	https   bool               // people reach us by https
	quiet   map[string]bool    // routes that machines ask all the time
}

// New makes the handler of every address.
func New(d Deps) http.Handler {
	s := &server{Deps: d, metrics: newMetrics(d.Registry), https: strings.HasPrefix(d.Config.PublicURL, "https://"),
		quiet: map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true, "/static/*path": true}}
	if s.Now == nil {
		s.Now = d.Store.Now
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.WorkersFresh == 0 {
		s.WorkersFresh = time.Minute
	}
	s.cookies = newCookies(d.Config.SessionKeys.List())

	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false
	r.ForwardedByClientIP = false
	_ = r.SetTrustedProxies(nil) // nil can't be malformed
	r.Use(identify, s.observe, s.recover, s.secure, s.sameOrigin())
	r.NoRoute(s.api(func(*gin.Context) error { return errNotFound }))
	r.NoMethod(s.api(func(*gin.Context) error {
		return refuse(http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take this method.")
	}))
	s.routes(r)
	return r
}

// handler does one request; an error is what is answered instead.
type handler func(c *gin.Context) error

// api answers errors as the contract's envelope. A person who got here by a browser's address bar gets a page.
func (s *server) api(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.fail(c, err)
		}
	}
}

// page answers errors as a page.
func (s *server) page(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.failPage(c, err)
		}
	}
}

func (s *server) fail(c *gin.Context, err error) {
	r := s.refused(c, err)
	if c.FullPath() == "" && strings.Contains(c.GetHeader("Accept"), gin.MIMEHTML) {
		s.plain(c, r)
		return
	}
	c.AbortWithStatusJSON(r.status, r.envelope())
}

func (s *server) failPage(c *gin.Context, err error) { s.plain(c, s.refused(c, err)) }

// refused notes a refusal and clears the way for its answer. Where half an answer is out already, all that is left is
// to break it off, so that nobody takes it for whole.
func (s *server) refused(c *gin.Context, err error) *refusal {
	r := asRefusal(err)
	s.note(c, r)
	if c.Writer.Written() {
		panic(http.ErrAbortHandler)
	}
	for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Length"} {
		c.Writer.Header().Del(name)
	}
	return r
}
