// Package handlers serves the app over HTTP. A handler binds a request, makes
// one call to an app package, and writes the result.
//
// routes.go lists every address. statuses.go maps error codes to HTTP
// statuses. sessions.go authenticates people, crm_calls.go the CRM's
// servers.
package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

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
	"dialpad-texting/app/replies"
	"dialpad-texting/app/webhook"
	"dialpad-texting/config"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/static"
)

// Automation is the action that a CRM's workflow offers.
type Automation interface {
	// Definition describes the action. The tenant is zero
	// where the CRM names none.
	Definition(ctx context.Context, t crm.Tenant) (crm.Definition, error)
	// Options lists an input's values. If there are none, State says why.
	Options(ctx context.Context, q crm.OptionsQuery) (crm.Options, error)
	// Execute accepts a call, once per callback id, for ever.
	Execute(ctx context.Context, e crm.Execute) (crm.Execution, error)
}

// Events applies the CRM's events.
type Events interface {
	// Apply applies an event. seq orders the events of a tenant, user or
	// number: one lower than the last applied changes nothing, nil is
	// unordered. The tenant block is already stored, in that order.
	Apply(ctx context.Context, e crm.Event, seq *int64) error
}

// Deps are what the handlers call. Only Now, Log and WorkersFresh
// may be zero.
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
	Replies     *replies.Replies
	Automation  Automation
	Events      Events
	Webhook     *webhook.Receiver
	Pages       *static.Renderer
	Assets      http.Handler
	Registry    *prometheus.Registry

	Now          func() time.Time // nil: the store's clock
	Log          *slog.Logger     // nil: discard
	WorkersFresh time.Duration    // max age of a worker's heartbeat; 0: a minute
}

func (d Deps) withDefaults() Deps {
	if d.Now == nil {
		d.Now = d.Store.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.WorkersFresh == 0 {
		d.WorkersFresh = time.Minute
	}
	return d
}

// server wraps every handler: middleware, sessions, and errors as answers.
type server struct {
	access  *access.Access
	pages   *pageWriter
	metrics *metrics
	doors   *doors
	now     func() time.Time
	log     *slog.Logger
	https   bool            // PUBLIC_URL is https
	quiet   map[string]bool // routes logged at debug level
}

// New returns the handler of every address.
func New(d Deps) http.Handler {
	d = d.withDefaults()
	s := &server{
		access: d.Access, metrics: newMetrics(d.Registry), doors: newDoors(d.Now), now: d.Now, log: d.Log,
		pages: &pageWriter{renderer: d.Pages, config: d.Config, log: d.Log},
		https: strings.HasPrefix(d.Config.PublicURL, "https://"),
		quiet: map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true, "/static/*path": true},
	}
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false
	r.RemoteIPHeaders = []string{"X-Forwarded-For"}
	_ = r.SetTrustedProxies(d.Config.TrustedProxies) // checked by package config
	r.Use(assignRequestID, s.observe, s.recover, s.secure, s.sameOrigin())
	r.NoRoute(s.api(func(*gin.Context) error { return errNotFound }))
	r.NoMethod(s.api(func(*gin.Context) error {
		return refuse("method_not_allowed", "This address does not take this method.")
	}))
	s.routes(r, d)
	return r
}
