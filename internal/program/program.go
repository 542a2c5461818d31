// Package program wires the app from its configuration and runs it: the web
// server, the background worker, or both.
package program

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/access"
	"dialpad-texting/app/accounts"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/install"
	"dialpad-texting/app/jobs"
	"dialpad-texting/app/optout"
	"dialpad-texting/app/outbox"
	"dialpad-texting/app/popup"
	"dialpad-texting/app/replies"
	"dialpad-texting/app/templates"
	"dialpad-texting/app/timeline"
	"dialpad-texting/app/webhook"
	"dialpad-texting/config"
	"dialpad-texting/handlers"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/static"
)

// Program is the app with all its parts wired.
type Program struct {
	Store   *models.Store
	Jobs    *jobs.Runner
	Handler http.Handler // of the web server; tests wrap it before Run

	webhook *webhook.Receiver
	admin   http.Handler

	cfg config.Config
	log *slog.Logger
}

// Parts says what a process runs.
type Parts struct {
	Web, Work bool
	Listener  net.Listener // for Web; nil listens on the configured port
	Admin     string       // default of ADMIN_ADDR; "" listens nowhere
	Environ   []string     // nil leaves the memory limits as they are
}

// Build wires the program; nothing runs yet. The caller closes it.
func Build(ctx context.Context, cfg config.Config, log *slog.Logger) (*Program, error) {
	secrets, err := crm.ParseSecrets(cfg.CRMAppSecrets.Reveal())
	if err != nil {
		return nil, fmt.Errorf("CRM_APP_SECRETS: %w", err)
	}
	vault, err := models.NewVault(cfg.EncryptionKeys.List())
	if err != nil {
		return nil, err
	}
	store, err := models.Open(ctx, cfg.DatabaseURL.Reveal(), models.Options{Vault: vault, LeaseClock: true})
	if err != nil {
		return nil, err
	}
	p := &Program{Store: store, cfg: cfg, log: log}
	if err := p.wire(secrets); err != nil {
		_ = store.Close()
		return nil, err
	}
	return p, nil
}

func (p *Program) wire(secrets crm.Secrets) error {
	cfg, store, now := p.cfg, p.Store, time.Now
	id := models.NewID()
	calls := newCallMetrics()
	phone := dialpad.New(dialpad.Config{Observe: calls.observer("dialpad"), BaseURL: cfg.DialpadURL, ClientID: cfg.DialpadClientID, ClientSecret: cfg.DialpadClientSecret.Reveal(),
		RedirectURL: cfg.PublicURL + "/connect/callback", Scopes: cfg.DialpadScopes})
	host := crm.New(cfg.CRMAPIURL, secrets, nil, now)
	host.Observe(calls.observer("crm"))

	eligible := eligibility.New(store, eligibility.Config{Plans: cfg.PlansWithDialpad, AppPageURL: cfg.AppPageURL})
	grants := connection.Config{PublicURL: cfg.PublicURL, WorkerID: id, Now: now, Log: p.log}
	tokens := connection.NewTokens(store, phone, grants)
	connector := connection.NewConnector(store, phone, eligible, tokens, grants)
	connections := connection.New(store, phone, tokens, grants)
	installer := install.New(store, eligible, connections, now)
	people := accounts.New(store, phone, tokens, host, now, p.log)
	eligible.ReadUsers(people)
	engine := delivery.New(store, phone, eligible, tokens, people, delivery.Config{WorkerID: id, Now: now, Log: p.log})
	optOuts := optout.New(store, phone, host, tokens, p.log)
	tpl := templates.New(host, now)
	aud := audience.New(store, host, tpl, eligible, audience.Config{Now: now, Log: p.log, Notify: engine.Notify, RefreshOptOuts: optOuts.Refresh})
	batches := batch.New(store, aud, tpl, eligible, batch.Config{Now: now, Log: p.log, Notify: engine.Notify,
		OneToOnePerHour: cfg.OneToOnePerHour, AutomationPerHour: cfg.AutomationPerHour})
	box := outbox.New(store, aud, batches, now, p.log)
	action := automation.New(store, host, eligible, automation.Texts{Templates: tpl, Audience: aud, Batches: batches}, automation.Config{Now: now, Log: p.log, Notify: engine.Notify,
		RefreshPeople: func(ctx context.Context, tenantID string) error {
			return people.RefreshPeople(ctx, tenantID, time.Minute)
		}})
	p.Jobs = &jobs.Runner{Store: store, Connector: connector, Connections: connections, Installer: installer, Accounts: people, Audience: aud, Batches: batches, Automation: action, Engine: engine,
		Timelines: timeline.NewRounds(store, timeline.New(store, host), id, p.log), Reconciler: delivery.NewReconciler(store),
		OptOuts: optOuts, CRM: host, WorkerID: id, Now: now, AuditDays: cfg.AuditDays, Retention: time.Duration(cfg.RetentionDays) * 24 * time.Hour, Log: p.log}

	p.webhook = webhook.New(store, p.Jobs.NotifyEvents)

	pages, err := static.Pages()
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		engineMetrics(engine), calls.duration, newStoreMetrics(store, p.log))
	p.admin = handlers.NewAdmin(handlers.AdminDeps{Store: store, Registry: registry, Now: now, Log: p.log})
	p.Handler = handlers.New(handlers.Deps{Config: cfg, Secrets: secrets, Store: store, Eligibility: eligible, Connector: connector, Connections: connections, Installer: installer,
		Access:   access.New(store, crm.LaunchVerifier{Secrets: secrets, BaseDomain: cfg.CRMBaseDomain, Now: now}, now),
		Accounts: people, Popup: popup.New(store, tpl, aud, box, eligible, p.log), Audience: aud, Batches: batches, Outbox: box, OptOuts: optOuts, Replies: replies.New(store),
		Automation: action, Events: jobs.CRMEvents{Store: store, Eligibility: eligible}, Webhook: p.webhook, Pages: pages, Assets: static.Assets(), Registry: registry, Now: now, Log: p.log})
	return nil
}

// Run runs the parts until ctx ends, then stops cleanly. It refuses a schema
// that is not current.
func (p *Program) Run(ctx context.Context, parts Parts) error {
	if err := p.Store.SchemaCurrent(ctx); err != nil {
		return err
	}
	admin, err := p.listenAdmin(ctx, parts.Admin)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	if admin != nil {
		g.Go(func() error { return serveHTTP(ctx, admin, p.admin, adminTimeout) })
	}
	if parts.Web {
		g.Go(func() error { return p.serveWeb(ctx, parts.Listener) })
	}
	if parts.Work {
		g.Go(func() error { return p.Jobs.Run(ctx) })
	}
	if parts.Work && parts.Environ != nil {
		target := int64(heapTarget)
		if p.Store.Embedded() {
			target = heapTargetEmbedded
		}
		g.Go(func() error { return tuneMemory(ctx, parts.Environ, target) })
	}
	return g.Wait()
}

// Close closes the database.
func (p *Program) Close() {
	if err := p.Store.Close(); err != nil {
		p.log.Error("close database failed", "err", err)
	}
}

// NewLog returns a logger that writes JSON lines to w.
func NewLog(level string, w io.Writer) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo // cannot happen: config checks the level
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l}))
}
