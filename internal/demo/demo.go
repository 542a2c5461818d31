// Package demo runs the app beside a Dialpad sandbox and a CRM sandbox, on one
// machine and with nothing to configure.
package demo

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/config"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/program"
)

const clientID = "demo"

// eventDelay is how long after a text Dialpad reports on it, so that its states
// can be watched.
const eventDelay = 600 * time.Millisecond

// Demo is the app with both sandboxes. Each has an origin of its own, and the
// CRM's site is another than the app's, so that the popup's iframe is truly
// third-party.
type Demo struct {
	App, CRM, Dialpad          net.Listener
	AppURL, CRMURL, DialpadURL string // origins, as browsers reach them
	Program                    *program.Program
	CRMSandbox                 *crmsandbox.Sandbox
	DialpadSandbox             *dialpadsandbox.Sandbox

	options Options
	keys    keys
}

// Options are what can be chosen. Only Dir is required.
type Options struct {
	Dir               string // keeps keys and the embedded database
	App, CRM, Dialpad string // addresses to listen on; "" is a free port of 127.0.0.1
	DatabaseURL       string // "" is an embedded file in Dir
	LogLevel          string // "" is error
	// TuneDialpad changes the Dialpad sandbox's options; nil leaves them.
	TuneDialpad func(*dialpadsandbox.Options)
}

// New listens on the three addresses, wires everything, and migrates the
// database. The addresses are known before anything is configured with them.
// Run serves; who does not call it closes what it does not use.
func New(ctx context.Context, o Options, log *slog.Logger) (*Demo, error) {
	d := &Demo{options: o}
	if err := d.listen(ctx); err != nil {
		return nil, err
	}
	var err error
	if d.keys, err = loadKeys(o.Dir); err != nil {
		return nil, err
	}
	cfg, err := config.Load(d.Environ())
	if err != nil {
		return nil, err
	}
	secrets, err := crm.ParseSecrets(d.keys.crm)
	if err != nil {
		return nil, err
	}
	dialpad := dialpadsandbox.Options{ClientID: clientID, AppName: "Dialpad Texting for Salesmate", ClientSecret: d.keys.client,
		RedirectURIs: []string{d.AppURL + "/connect/callback"}, PublicURL: d.DialpadURL, Log: log, EventDelay: eventDelay,
		AppScopes: strings.Fields(scopes)}
	if o.TuneDialpad != nil {
		o.TuneDialpad(&dialpad)
	}
	d.DialpadSandbox = dialpadsandbox.New(dialpad)
	d.DialpadSandbox.SeedDemo()
	d.CRMSandbox = crmsandbox.New(crmsandbox.Options{AppURL: d.AppURL, Secrets: secrets, Domain: strings.TrimPrefix(d.CRMURL, "http://"), Log: log})
	if d.Program, err = program.Build(ctx, cfg, log); err != nil {
		return nil, err
	}
	return d, d.Program.Store.Migrate(ctx)
}

func (d *Demo) listen(ctx context.Context) error {
	var lc net.ListenConfig
	for _, l := range []struct {
		at   string
		into *net.Listener
	}{{d.options.App, &d.App}, {d.options.CRM, &d.CRM}, {d.options.Dialpad, &d.Dialpad}} {
		var err error
		if *l.into, err = lc.Listen(ctx, "tcp", cmp.Or(l.at, "127.0.0.1:0")); err != nil {
			return err
		}
	}
	_, crmPort, err := net.SplitHostPort(d.CRM.Addr().String())
	d.AppURL, d.DialpadURL = "http://"+d.App.Addr().String(), "http://"+d.Dialpad.Addr().String()
	d.CRMURL = "http://localhost:" + crmPort // browsers resolve acme.localhost
	return err
}

// scopes lets the app read replies: opt-outs in words that Dialpad does not
// act on are known from nothing else.
const scopes = "offline_access change_log message_content_export:all"

// Environ is the app's configuration, for a process of its own.
func (d *Demo) Environ() []string {
	domain := strings.TrimPrefix(d.CRMURL, "http://")
	_, port, _ := net.SplitHostPort(d.App.Addr().String()) // listen has split it
	return []string{
		"PORT=" + port,
		"PUBLIC_URL=" + d.AppURL,
		"DATABASE_URL=" + cmp.Or(d.options.DatabaseURL, "sqlite:"+filepath.Join(d.options.Dir, "demo.db")),
		"SESSION_KEYS=" + d.keys.session,
		"ENCRYPTION_KEYS=" + d.keys.encryption,
		"CRM_APP_SECRETS=" + d.keys.crm,
		"CRM_API_URL=http://" + d.CRM.Addr().String() + "/{linkname}", // Go does not resolve acme.localhost
		"CRM_BASE_DOMAIN=" + domain,
		"CRM_RECORD_URL=http://{linkname}." + domain + "/{module}s/{id}",
		"PLANS_WITH_DIALPAD=business,enterprise",
		"DIALPAD_URL=" + d.DialpadURL,
		"DIALPAD_CLIENT_ID=" + clientID,
		"DIALPAD_SCOPES=" + scopes,
		"DIALPAD_CLIENT_SECRET=" + d.keys.client,
		"LOG_LEVEL=" + cmp.Or(d.options.LogLevel, "error"),
		"ADMIN_ADDR=" + config.AdminOff,
	}
}

// Run serves all three until ctx ends.
func (d *Demo) Run(ctx context.Context) error {
	defer d.Program.Close()
	defer d.DialpadSandbox.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.Program.Run(ctx, program.Parts{Web: true, Work: true, Listener: d.App}) })
	g.Go(func() error { return d.ServeSandboxes(ctx) })
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// ServeSandboxes serves the two sandboxes until ctx ends.
func (d *Demo) ServeSandboxes(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serveSandbox(ctx, d.CRM, d.CRMSandbox) })
	g.Go(func() error { return serveSandbox(ctx, d.Dialpad, d.DialpadSandbox) })
	return g.Wait()
}

// serveSandbox serves until ctx ends and then closes every connection: open
// pages hold event streams for ever.
func serveSandbox(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
