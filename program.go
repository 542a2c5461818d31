package main

import (
	"context"
	"errors"
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
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/jobs"
	"dialpad-texting/app/market"
	"dialpad-texting/app/optout"
	"dialpad-texting/app/outbox"
	"dialpad-texting/app/popup"
	"dialpad-texting/app/templates"
	"dialpad-texting/app/timeline"
	"dialpad-texting/config"
	"dialpad-texting/handlers"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/static"
)

// program is everything, wired.
type program struct {
	cfg     config.Config
	log     *slog.Logger
	store   *models.Store
	handler http.Handler
	runner  *jobs.Runner
}

// parts are what a process does.
type parts struct {
	web, work bool
	listener  net.Listener // nil: on the configured port
	environ   []string     // nil: memory is somebody else's business
}

// build wires the program; nothing runs yet.
func build(ctx context.Context, cfg config.Config, log *slog.Logger) (*program, error) {
	secrets, err := crm.ParseSecrets(cfg.CRMAppSecrets.Reveal())
	if err != nil {
		return nil, fmt.Errorf("CRM_APP_SECRETS: %w", err)
	}
	vault, err := models.NewVault(cfg.EncryptionKeys.List())
	if err != nil {
		return nil, err
	}
	store, err := models.Open(ctx, cfg.DatabaseURL.Reveal(), models.Options{Vault: vault, Log: log})
	if err != nil {
		return nil, err
	}
	p := &program{cfg: cfg, log: log, store: store}
	if err := p.wire(secrets); err != nil {
		_ = store.Close()
		return nil, err
	}
	return p, nil
}

func (p *program) wire(secrets crm.Secrets) error {
	cfg, store, now := p.cfg, p.store, time.Now
	id := models.NewID()
	phone := dialpad.New(dialpad.Config{BaseURL: cfg.DialpadURL, ClientID: cfg.DialpadClientID, ClientSecret: cfg.DialpadClientSecret.Reveal(),
		RedirectURL: cfg.PublicURL + "/connect/callback", Scopes: cfg.DialpadScopes})
	host := crm.New(cfg.CRMAPIURL, secrets, nil, now)

	mkt := market.New(store, phone, market.Config{Plans: cfg.PlansWithDialpad, AppPageURL: cfg.AppPageURL, PublicURL: cfg.PublicURL, WorkerID: id, Now: now, Log: p.log})
	people := accounts.New(store, phone, mkt, host, now, p.log)
	engine := delivery.New(store, phone, mkt, people, delivery.Config{WorkerID: id, Now: now, Log: p.log})
	optOuts := optout.New(store, phone, host, mkt, p.log)
	tpl := templates.New(host, now)
	aud := audience.New(store, host, tpl, mkt, audience.Config{Now: now, Log: p.log, Notify: engine.Notify, RefreshOptOuts: optOuts.Refresh})
	batches := batch.New(store, aud, tpl, mkt, batch.Config{Now: now, Log: p.log, Notify: engine.Notify})
	box := outbox.New(store, aud, batches, now, p.log)
	action := automation.New(store, host, mkt, automation.Texts{Templates: tpl, Audience: aud, Batches: batches}, automation.Config{Now: now, Log: p.log, Notify: engine.Notify,
		Live: func(ctx context.Context, tenantID string) error { return people.Live(ctx, tenantID, time.Minute) }})
	p.runner = &jobs.Runner{Store: store, Market: mkt, Accounts: people, Audience: aud, Batches: batches, Automation: action, Engine: engine,
		Timeline: timeline.New(store, host), Reconciler: delivery.NewReconciler(store),
		OptOuts: optOuts, CRM: host, WorkerID: id, Now: now, Log: p.log}

	pages, err := static.Pages()
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), engineMetrics(engine))
	p.handler = handlers.New(handlers.Deps{Config: cfg, Secrets: secrets, Store: store, Market: mkt,
		Access:   access.New(store, crm.LaunchVerifier{Secrets: secrets, BaseDomain: cfg.CRMBaseDomain, Now: now}, now),
		Accounts: people, Popup: popup.New(store, tpl, aud, box, mkt, p.log), Audience: aud, Batches: batches, Outbox: box,
		Automation: action, Events: p.runner, Pages: pages, Assets: static.Assets(), Registry: registry, Now: now, Log: p.log})
	return nil
}

// run does its parts until ctx ends, then stops cleanly.
func (p *program) run(ctx context.Context, do parts) error {
	if err := p.store.SchemaCurrent(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	if do.web {
		g.Go(func() error { return p.web(ctx, do.listener) })
	}
	if do.work {
		g.Go(func() error { return p.runner.Run(ctx) })
	}
	if do.work && do.environ != nil {
		most := int64(lean)
		if p.store.Embedded() {
			most = leanEmbedded
		}
		g.Go(func() error { return keepLean(ctx, do.environ, most) })
	}
	return g.Wait()
}

func (p *program) web(ctx context.Context, l net.Listener) error {
	if l == nil {
		var err error
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", ":"+p.cfg.Port); err != nil {
			return err
		}
	}
	p.log.Info("serving", "address", l.Addr().String(), "public", p.cfg.PublicURL)
	return serveHTTP(ctx, l, p.handler)
}

// serveHTTP serves until ctx ends, then lets requests finish.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		soft, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err := srv.Shutdown(soft)
		if err != nil {
			err = srv.Close()
		}
		stopped <- err
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func (p *program) close() {
	if err := p.store.Close(); err != nil {
		p.log.Error("closing the database failed", "err", err)
	}
}

func newLog(level string, w io.Writer) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo // config has checked it
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l}))
}
