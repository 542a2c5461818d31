package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/config"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
)

const (
	demoClientID = "demo"
	// Enough to see a long bulk: the first page holds the sample, whose people have every reason to be left out.
	demoPeople, samplePeople = 5000, 60
	demoDeals, sampleDeals   = 500, 21
	// A text takes a moment at Dialpad, so that its states can be watched.
	demoEventDelay = 600 * time.Millisecond
)

// demoWorld is the app with both sandboxes, each on an origin of its own: the CRM is another site than the app, so
// that the popup's iframe is truly third-party.
type demoWorld struct {
	app, crm, phone                 net.Listener
	appURL, crmURL, crmAPI, dialpad string
	program                         *program
	crmSandbox                      *crmsandbox.Sandbox
	dialpadSandbox                  *dialpadsandbox.Sandbox
}

type demoOptions struct {
	dir             string
	app, crm, phone string // addresses to listen on
	databaseURL     string // "": an embedded file in dir
	logLevel        string
	tune            func(*dialpadsandbox.Options) // nil: as the demo has it
}

func demo(ctx context.Context, args, _ []string, out, errOut io.Writer) error {
	var o demoOptions
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.StringVar(&o.dir, "dir", "", "keep the data in this folder (default: a temporary one)")
	flags.StringVar(&o.app, "app", "127.0.0.1:8080", "where the app listens")
	flags.StringVar(&o.crm, "crm", "127.0.0.1:8090", "where the CRM sandbox listens")
	flags.StringVar(&o.phone, "dialpad", "127.0.0.1:8070", "where the Dialpad sandbox listens")
	flags.StringVar(&o.databaseURL, "database", "", "another database (default: an embedded file)")
	flags.StringVar(&o.logLevel, "log", "warn", "debug, info, warn or error")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "dialpad-texting-demo-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.dir = dir
	}
	w, err := newDemo(ctx, o, newLog(o.logLevel, errOut))
	if err != nil {
		return err
	}
	w.crmSandbox.Seed(demoPeople-samplePeople, demoDeals-sampleDeals)
	_, _ = fmt.Fprintf(out, `Dialpad Texting, the demo. Open the CRM, install Dialpad from its apps, connect, and text somebody.

  CRM sandbox      http://acme.%s/         (Ana is an admin; switch users and plans at the top)
  Dialpad sandbox  %s/phones   (where the texts arrive), %s/admin
  the app itself   %s

Ctrl-C ends it.
`, strings.TrimPrefix(w.crmURL, "http://"), w.dialpad, w.dialpad, w.appURL)
	return w.run(ctx)
}

// newDemo listens and wires; the addresses are known before anything is configured with them.
func newDemo(ctx context.Context, o demoOptions, log *slog.Logger) (*demoWorld, error) {
	w := &demoWorld{}
	if err := w.listen(ctx, o); err != nil {
		return nil, err
	}
	keys, err := demoKeys(o.dir)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(w.environ(o, keys))
	if err != nil {
		return nil, err
	}
	secrets, err := crm.ParseSecrets(keys.crm)
	if err != nil {
		return nil, err
	}
	phone := dialpadsandbox.Options{ClientID: demoClientID, ClientSecret: keys.client,
		RedirectURIs: []string{w.appURL + "/connect/callback"}, PublicURL: w.dialpad, Log: log, EventDelay: demoEventDelay}
	if o.tune != nil {
		o.tune(&phone)
	}
	w.dialpadSandbox = dialpadsandbox.New(phone)
	w.dialpadSandbox.SeedDemo()
	w.crmSandbox = crmsandbox.New(crmsandbox.Options{AppURL: w.appURL, Secrets: secrets, Domain: strings.TrimPrefix(w.crmURL, "http://"), Log: log})
	if w.program, err = build(ctx, cfg, log); err != nil {
		return nil, err
	}
	return w, w.program.store.Migrate(ctx)
}

func (w *demoWorld) listen(ctx context.Context, o demoOptions) error {
	var lc net.ListenConfig
	for _, l := range []struct {
		at   string
		into *net.Listener
	}{{o.app, &w.app}, {o.crm, &w.crm}, {o.phone, &w.phone}} {
		var err error
		if *l.into, err = lc.Listen(ctx, "tcp", l.at); err != nil {
			return err
		}
	}
	w.appURL, w.dialpad = "http://"+w.app.Addr().String(), "http://"+w.phone.Addr().String()
	_, port, _ := net.SplitHostPort(w.crm.Addr().String())
	w.crmURL, w.crmAPI = "http://localhost:"+port, "http://"+w.crm.Addr().String()+"/{linkname}"
	return nil
}

func (w *demoWorld) environ(o demoOptions, k keysOfDemo) []string {
	database := o.databaseURL
	if database == "" {
		database = "sqlite:" + filepath.Join(o.dir, "demo.db")
	}
	domain := strings.TrimPrefix(w.crmURL, "http://")
	return []string{"PUBLIC_URL=" + w.appURL, "DATABASE_URL=" + database, "SESSION_KEYS=" + k.session, "ENCRYPTION_KEYS=" + k.encryption,
		"CRM_APP_SECRETS=" + k.crm, "CRM_API_URL=" + w.crmAPI, "CRM_BASE_DOMAIN=" + domain,
		"CRM_APP_PAGE_URL=http://{linkname}." + domain + "/#/app/setup/apps/dialpad",
		"PLANS_WITH_DIALPAD=business,enterprise", "DIALPAD_URL=" + w.dialpad, "DIALPAD_CLIENT_ID=" + demoClientID,
		"DIALPAD_CLIENT_SECRET=" + k.client, "LOG_LEVEL=" + o.logLevel}
}

// run serves all three until ctx ends.
func (w *demoWorld) run(ctx context.Context) error {
	defer w.program.close()
	defer w.dialpadSandbox.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.program.run(ctx, parts{web: true, work: true, listener: w.app}) })
	for _, s := range []struct {
		l net.Listener
		h http.Handler
	}{{w.crm, w.crmSandbox}, {w.phone, w.dialpadSandbox}} {
		g.Go(func() error { return serveSandbox(ctx, s.l, s.h) })
	}
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// serveSandbox serves until ctx ends and then hangs up: its pages hold streams open for as long as they are looked at.
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

type keysOfDemo struct{ session, encryption, crm, client string }

// demoKeys makes the demo's keys, and finds them again in a folder that was kept.
func demoKeys(dir string) (keysOfDemo, error) {
	path := filepath.Join(dir, "demo.keys")
	if b, err := os.ReadFile(path); err == nil {
		if part := strings.Fields(string(b)); len(part) == 4 {
			return keysOfDemo{part[0], part[1], part[2], part[3]}, nil
		}
	}
	key := func() string {
		b := make([]byte, 32)
		_, _ = rand.Read(b) // never fails: crypto/rand
		return base64.StdEncoding.EncodeToString(b)
	}
	k := keysOfDemo{key(), key(), "whsec_" + key(), rand.Text()}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return k, err
	}
	return k, os.WriteFile(path, []byte(strings.Join([]string{k.session, k.encryption, k.crm, k.client}, "\n")+"\n"), 0o600)
}
