package handlers_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"dialpad-texting/app/access"
	"dialpad-texting/app/accounts"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/install"
	"dialpad-texting/app/optout"
	"dialpad-texting/app/replies"
	"dialpad-texting/app/webhook"
	"dialpad-texting/config"
	"dialpad-texting/handlers"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/apptest"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
	"dialpad-texting/static"
	"dialpad-texting/static/openapitest"
)

const (
	crmDomain = "localhost:8090"
	acme      = "http://acme.localhost:8090"
	appPage   = "http://acme.localhost:8090/apps/dialpad"
	secretNew = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	secretOld = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="
	keyNew    = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	keyOld    = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="
	keyOther  = "enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6eno="
)

// world is the whole app: a real database and both sandboxes over HTTP.
// Each answer is checked against the OpenAPI document. Its clock is stopped.
type world struct {
	t       testing.TB
	clock   *seed.Clock
	db      *seed.DB
	crm     *crmsandbox.Sandbox
	dialpad *dialpadsandbox.Sandbox
	deps    handlers.Deps
	secrets crm.Secrets
	app     *httptest.Server
	handler http.Handler // behind app, for requests that need no wire
	log     *log

	automation *automation
	events     *events
}

type setup struct {
	sessionKeys  string
	metricsToken string
	dsn          string // of the database; "" is a new one
	unchecked    bool   // not held to the document: for measuring
	postgres     bool   // instead of SQLite
	perHour      int    // texts that a person may send one by one
}

func newWorld(t testing.TB, options ...func(*setup)) *world {
	t.Helper()
	o := setup{sessionKeys: keyNew, metricsToken: "scrape"}
	for _, option := range options {
		option(&o)
	}
	w := &world{t: t, clock: seed.NewClock(), log: &log{}, automation: &automation{}, events: &events{}}
	if o.dsn == "" {
		open := modeltest.SQLite
		if o.postgres {
			open = modeltest.Postgres
		}
		o.dsn = open(t, seed.Migrate)
	}
	w.db = seed.Store(t, o.dsn, w.clock.Now)
	w.secrets = parsed(t, secretNew+","+secretOld)

	w.app = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(rw, r) }))
	t.Cleanup(w.app.Close)
	w.crm = crmsandbox.New(crmsandbox.Options{AppURL: w.app.URL, Secrets: w.secrets, Domain: crmDomain, Now: w.clock.Now})
	crmServer := httptest.NewServer(w.crm)
	t.Cleanup(crmServer.Close)
	callback := w.app.URL + "/connect/callback"
	w.dialpad = dialpadsandbox.New(dialpadsandbox.Options{ClientID: "app", ClientSecret: "secret", RedirectURIs: []string{callback},
		Now: w.clock.Now, RequestsPerSecond: -1, RetryScale: -1})
	w.dialpad.SeedDemo()
	dialpadServer := httptest.NewServer(w.dialpad)
	t.Cleanup(func() { dialpadServer.Close(); w.dialpad.Close() })

	cfg := w.config(o, dialpadServer.URL, crmServer.URL)
	dp := dialpad.New(dialpad.Config{BaseURL: dialpadServer.URL, ClientID: "app", ClientSecret: "secret", RedirectURL: callback,
		Scopes: []string{"offline_access", "change_log"}, Now: w.clock.Now})
	eligible := eligibility.New(w.db.Store, eligibility.Config{Plans: cfg.PlansWithDialpad, AppPageURL: cfg.AppPageURL})
	grants := connection.Config{PublicURL: w.app.URL, Now: w.clock.Now}
	tokens := connection.NewTokens(w.db.Store, dp, grants)
	connector := connection.NewConnector(w.db.Store, dp, eligible, tokens, grants)
	connections := connection.New(w.db.Store, dp, tokens, grants)
	installer := install.New(w.db.Store, eligible, connections, w.clock.Now)
	crmClient := crm.New(cfg.CRMAPIURL, w.secrets, http.DefaultClient, w.clock.Now)
	pages, err := static.Pages()
	w.must(err)
	texts := apptest.NewLimitedServices(w.db.Store, crmClient, eligible, audience.Config{Now: w.clock.Now}, batch.Config{OneToOnePerHour: o.perHour})
	receiver := webhook.New(w.db.Store, nil)
	storing := make(chan struct{})
	go func() { defer close(storing); receiver.Run() }()
	t.Cleanup(func() { receiver.Close(); <-storing })
	w.deps = handlers.Deps{
		Config: cfg, Secrets: w.secrets, Store: w.db.Store, Eligibility: eligible, Connector: connector, Connections: connections, Installer: installer,
		Access:     access.New(w.db.Store, crm.LaunchVerifier{Secrets: w.secrets, BaseDomain: crmDomain, Now: w.clock.Now}, w.clock.Now),
		Accounts:   accounts.New(w.db.Store, dp, tokens, crmClient, w.clock.Now, nil),
		Popup:      texts.Popup,
		Audience:   texts.Audience,
		Batches:    texts.Batches,
		Outbox:     texts.Outbox,
		Replies:    replies.New(w.db.Store),
		OptOuts:    optout.New(w.db.Store, dp, crmClient, tokens, slog.New(slog.DiscardHandler)),
		Automation: w.automation, Events: w.events, Webhook: receiver, Pages: pages, Assets: static.Assets(),
		Now: w.clock.Now, Log: slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	if w.handler = w.newHandler(cfg); !o.unchecked {
		w.handler = openapitest.Check(t, static.OpenAPI(), w.handler)
	}
	return w
}

// newHandler returns the handler of another process in the same world.
func (w *world) newHandler(cfg config.Config) http.Handler {
	d := w.deps
	d.Config, d.Registry = cfg, prometheus.NewRegistry()
	return handlers.New(d)
}

func (w *world) config(o setup, dialpadURL, crmURL string) config.Config {
	w.t.Helper()
	cfg, err := config.Load([]string{
		"PUBLIC_URL=" + w.app.URL, "SESSION_KEYS=" + o.sessionKeys, "ENCRYPTION_KEYS=" + keyNew,
		"CRM_APP_SECRETS=" + secretNew + "," + secretOld, "CRM_API_URL=" + crmURL + "/{linkname}", "CRM_BASE_DOMAIN=" + crmDomain,
		"CRM_APP_PAGE_URL=http://{linkname}." + crmDomain + "/apps/dialpad", "PLANS_WITH_DIALPAD=business,enterprise",
		"DIALPAD_URL=" + dialpadURL, "DIALPAD_CLIENT_ID=app", "DIALPAD_CLIENT_SECRET=secret", "METRICS_TOKEN=" + o.metricsToken,
	})
	w.must(err)
	return cfg
}

func parsed(t testing.TB, csv string) crm.Secrets {
	t.Helper()
	s, err := crm.ParseSecrets(csv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// response is a whole answer.
type response struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// send makes one request; each edit may change it.
func (w *world) send(method, path string, body io.Reader, edits ...func(*http.Request)) response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, w.app.URL+path, body)
	w.must(err)
	for _, edit := range edits {
		edit(r)
	}
	answer, err := client.Do(r)
	w.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	w.must(err)
	return response{w.t, method + " " + path, answer.StatusCode, answer.Header, string(text)}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// form posts one, as a page of the CRM does.
func (w *world) form(path string, values url.Values, edits ...func(*http.Request)) response {
	w.t.Helper()
	edits = append([]func(*http.Request){header("Content-Type", "application/x-www-form-urlencoded")}, edits...)
	return w.send(http.MethodPost, path, strings.NewReader(values.Encode()), edits...)
}

// call is a JSON call of a page. body nil is none; a string goes as it is.
func (w *world) call(method, path, session string, body any, edits ...func(*http.Request)) response {
	w.t.Helper()
	var in io.Reader
	head := []func(*http.Request){header("Authorization", "Bearer "+session)}
	if body != nil {
		text, raw := body.(string)
		if !raw {
			encoded, err := json.Marshal(body)
			w.must(err)
			text = string(encoded)
		}
		in, head = strings.NewReader(text), append(head, header("Content-Type", "application/json"))
	}
	return w.send(method, path, in, append(head, edits...)...)
}

// want checks status and, for a refusal, the envelope's code.
func (r response) want(status int, code string) response {
	r.t.Helper()
	if r.status != status || code != "" && r.code() != code {
		r.t.Fatalf("%s answered %d %s, want %d %s: %s", r.what, r.status, r.code(), status, code, r.body)
	}
	return r
}

func (r response) code() string { return r.text("error", "code") }

// at walks the JSON answer; "0" is the first of a list.
func (r response) at(path ...string) any {
	var v any
	if json.Unmarshal([]byte(r.body), &v) != nil {
		return nil
	}
	for _, key := range path {
		if list, ok := v.([]any); ok {
			at, err := strconv.Atoi(key)
			if err != nil || at >= len(list) {
				return nil
			}
			v = list[at]
			continue
		}
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

func (r response) text(path ...string) string {
	text, _ := r.at(path...).(string)
	return text
}

// plainPage checks an error page: no script, framed by the CRM alone,
// with a link to the app page.
func (r response) plainPage(status int) response {
	r.t.Helper()
	policy := r.header.Get("Content-Security-Policy")
	switch {
	case r.status != status:
		r.t.Fatalf("%s answered %d, want %d: %s", r.what, r.status, status, r.body)
	case !strings.Contains(policy, "frame-ancestors http://*."+crmDomain) || strings.Contains(policy, "script-src"):
		r.t.Errorf("%s has the policy %q", r.what, policy)
	case strings.Contains(r.body, "<script") || !strings.Contains(r.body, "/apps/dialpad"):
		r.t.Errorf("%s is no plain page with a link: %s", r.what, r.body)
	case r.header.Get("Set-Cookie") != "":
		r.t.Errorf("%s sets a cookie", r.what)
	}
	return r
}

// token is a launch token as the CRM makes it.
func (w *world) token(tenant, user, use string, about *crm.LaunchTarget) string {
	w.t.Helper()
	token, err := w.crm.Token(tenant, user, use, about)
	w.must(err)
	return token
}

var sessionMeta = regexp.MustCompile(`<meta name="session-token" content="([^"]+)"`)

func (r response) session() string {
	r.t.Helper()
	found := sessionMeta.FindStringSubmatch(r.body)
	if r.status != http.StatusOK || found == nil {
		r.t.Fatalf("%s answered %d without a session: %s", r.what, r.status, r.body)
	}
	return found[1]
}

// page opens the app page and popup the popup; both give the session.
func (w *world) page(tenant, user string) string {
	w.t.Helper()
	return w.form("/apps/dialpad", url.Values{"token": {w.token(tenant, user, crm.UsePage, nil)}}).session()
}

func (w *world) popup(tenant, user string, about *crm.LaunchTarget) string {
	w.t.Helper()
	return w.form("/embed/popup", url.Values{"token": {w.token(tenant, user, crm.UsePopup, about)}}).session()
}

func one(number string) *crm.LaunchTarget {
	return &crm.LaunchTarget{Mode: crm.ModeOne, Module: crm.ModuleContact, RecordIDs: []string{"7"}, ToNumber: number}
}

// connected installs and connects as Acme's Ana, as a browser does.
func (w *world) connected() *world {
	w.t.Helper()
	page := w.page("acme", "42")
	w.call("POST", "/apps/dialpad/install", page, nil).want(201, "")
	w.connect(page, dialpadsandbox.AnaID).want(200, "")
	w.finish("t_9")
	w.call("PUT", "/apps/dialpad/settings", page, map[string]any{"quiet_hours": nil, "keep_laws": false}).want(200, "")
	return w
}

// finish does the worker's jobs after the window closed.
func (w *world) finish(tenantID string) {
	w.t.Helper()
	ctx := context.Background()
	_, err := w.deps.Accounts.SyncDirectory(ctx, tenantID)
	w.must(err)
	_, err = w.deps.Connections.Subscribe(ctx, tenantID)
	w.must(err)
	w.must(w.deps.Connections.MarkReady(ctx, tenantID))
}

// log keeps what was logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// automation and events are fakes that record their calls.
type automation struct {
	mu       sync.Mutex
	executed []crm.Execute
	asked    []crm.OptionsQuery
	err      error
	hold     chan struct{} // Execute waits for it
}

func (a *automation) Definition(context.Context, crm.Tenant) (crm.Definition, error) {
	return crm.Definition{Key: "send_text_via_dialpad", Label: "Send Text via Dialpad", Surfaces: []string{"automation"},
		Modules: []string{"contact", "deal"}, Inputs: []crm.Input{{Key: "from_user", Type: "select", Required: true}},
		Outputs: []crm.Output{{Key: "status"}}, Ports: []string{"send", "failed", "continue"}}, nil
}

func (a *automation) Options(_ context.Context, q crm.OptionsQuery) (crm.Options, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, q)
	return crm.Options{}, a.err
}

func (a *automation) Execute(_ context.Context, e crm.Execute) (crm.Execution, error) {
	if a.hold != nil {
		<-a.hold
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.executed = append(a.executed, e)
	return crm.Execution{State: crm.StateBlock, MessageID: rand.Text()}, a.err
}

func (a *automation) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.executed)
}

type events struct {
	mu      sync.Mutex
	applied []crm.Event
	seqs    []*int64
	err     error
	panics  bool
}

func (v *events) Apply(_ context.Context, e crm.Event, seq *int64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.panics {
		panic("events fell over")
	}
	v.applied, v.seqs = append(v.applied, e), append(v.seqs, seq)
	return v.err
}
