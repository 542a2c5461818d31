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
	"dialpad-texting/app/automation"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/install"
	"dialpad-texting/app/texting"
	"dialpad-texting/app/work"
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
	crew    *work.Crew
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

	eligible := eligibility.New(store, eligibility.Config{Plans: cfg.PlansWithDialpad, AppPageURL: cfg.AppPageURL})
	connecting := connection.Config{PublicURL: cfg.PublicURL, WorkerID: id, Now: now, Log: p.log}
	tokens := connection.NewTokens(store, phone, connecting)
	connector := connection.NewConnector(store, phone, eligible, tokens, connecting)
	connections := connection.New(store, phone, tokens, connecting)
	installer := install.New(store, eligible, connections, now)
	people := accounts.New(store, phone, tokens, host, now, p.log)
	engine := delivery.New(store, phone, eligible, tokens, people, delivery.Config{WorkerID: id, Now: now, Log: p.log})
	optOuts := texting.NewOptOuts(store, phone, host, tokens, p.log)
	texts := texting.New(store, host, eligible, texting.Config{Now: now, Log: p.log, Wake: engine.Wake, OptOuts: optOuts.Fresh})
	action := automation.New(store, host, eligible, texts, automation.Config{Now: now, Log: p.log, Wake: engine.Wake,
		Live: func(ctx context.Context, tenantID string) error { return people.RefreshPeople(ctx, tenantID, time.Minute) }})
	p.crew = &work.Crew{Store: store, Eligibility: eligible, Connector: connector, Connections: connections, Installer: installer, Accounts: people, Texting: texts, Automation: action, Engine: engine,
		Teller: delivery.NewTeller(store, host), Reconciler: delivery.NewReconciler(store, p.log),
		OptOuts: optOuts, CRM: host, WorkerID: id, Now: now, Log: p.log}

	pages, err := static.Pages()
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), engineMetrics(engine))
	p.handler = handlers.New(handlers.Deps{Config: cfg, Secrets: secrets, Store: store, Eligibility: eligible,
		Connector: connector, Connections: connections, Installer: installer,
		Access:   access.New(store, crm.LaunchVerifier{Secrets: secrets, BaseDomain: cfg.CRMBaseDomain, Now: now}, now),
		Accounts: people, Texting: texts, Automation: action, Events: p.crew, Pages: pages, Assets: static.Assets(), Registry: registry, Now: now, Log: p.log})
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
		g.Go(func() error { return p.crew.Run(ctx) })
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
