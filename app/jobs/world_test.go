package jobs_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/install"
	"dialpad-texting/app/jobs"
	"dialpad-texting/app/optout"
	"dialpad-texting/app/timeline"
	"dialpad-texting/app/webhook"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/apptest"
	"dialpad-texting/internal/sandboxtest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

var ctx = context.Background()

// world is a Runner between a real database and the
// two sandboxes. Dialpad's events come in over HTTP.
type world struct {
	*jobs.Runner
	*sandboxtest.World
	t       *testing.T
	clock   *sandboxtest.Clock
	db      *seed.DB
	acme    *seed.Tenant
	phone   *sandbox.Sandbox
	texts   apptest.Services
	webhook *webhook.Receiver
	dp      *dialpad.Client
	admin   models.Session

	crmEvents jobs.CRMEvents
}

// each runs a test on both databases, with the
// Runner running and Acme connected by Ana.
func each(t *testing.T, f func(w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.start()
		w.connect()
		f(w)
	})
}

func newWorld(t *testing.T, dsn string) *world {
	w := &world{t: t, admin: models.Session{TenantID: "t_9", UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin"}}
	app := httptest.NewServer(http.HandlerFunc(w.storeWebhook))
	t.Cleanup(app.Close)
	w.World = sandboxtest.New(t, dsn, app.URL+"/connect/callback")
	w.clock, w.db, w.phone, w.dp = w.Clock, w.DB, w.Dialpad, w.DialpadClient
	now, log := w.clock.Now, slog.New(slog.DiscardHandler)
	eligible := eligibility.New(w.db.Store, eligibility.Config{Plans: []string{"business"}})
	grants := connection.Config{PublicURL: app.URL, Now: now}
	tokens := connection.NewTokens(w.db.Store, w.dp, grants)
	connector := connection.NewConnector(w.db.Store, w.dp, eligible, tokens, grants)
	connections := connection.New(w.db.Store, w.dp, tokens, grants)
	installer := install.New(w.db.Store, eligible, connections, now)
	people := accounts.New(w.db.Store, w.dp, tokens, w.CRMClient, now, nil)
	engine := delivery.New(w.db.Store, w.dp, eligible, tokens, people, delivery.Config{WorkerID: "w1", Now: now})
	w.texts = apptest.NewServices(w.db.Store, w.CRMClient, eligible, audience.Config{Now: now, Notify: engine.Notify})
	action := automation.New(w.db.Store, w.CRMClient, eligible, w.texts.Texts(), automation.Config{Now: now, Notify: engine.Notify})
	w.crmEvents = jobs.CRMEvents{Store: w.db.Store, Eligibility: eligible}
	w.Runner = &jobs.Runner{Store: w.db.Store, Connector: connector, Connections: connections, Installer: installer, Accounts: people, Audience: w.texts.Audience, Batches: w.texts.Batches, Automation: action, Engine: engine,
		Timelines: timeline.NewRounds(w.db.Store, timeline.New(w.db.Store, w.CRMClient), "w1", log), Reconciler: delivery.NewReconciler(w.db.Store),
		OptOuts: optout.New(w.db.Store, w.dp, w.CRMClient, tokens, log), CRM: w.CRMClient, WorkerID: "w1", Now: now, Log: log}
	w.webhook = webhook.New(w.db.Store, w.NotifyEvents)
	storing := make(chan struct{})
	go func() { defer close(storing); w.webhook.Run() }()
	t.Cleanup(func() { app.Close(); w.webhook.Close(); <-storing })
	return w
}

// storeWebhook is the webhook's handler: it verifies, stores and answers.
func (w *world) storeWebhook(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		rw.WriteHeader(http.StatusInternalServerError)
		return
	}
	c, err := w.db.Connections.ByHookAllTenants(r.Context(), strings.TrimPrefix(r.URL.Path, "/dialpad/events/"))
	if err != nil {
		rw.WriteHeader(http.StatusNotFound)
		return
	}
	_, secret, err := w.db.Connections.OpenHook(c)
	w.must(err)
	e, err := dialpad.VerifyEvent(secret, body)
	if err != nil {
		rw.WriteHeader(http.StatusUnauthorized)
		return
	}
	sum := sha256.Sum256(body)
	out := ledger.WebhookEvent{TenantID: c.TenantID, BodyHash: hex.EncodeToString(sum[:])}
	switch {
	case e.SMS != nil:
		out.Kind, out.DialpadID, out.Direction, out.Status, out.Result = ledger.EventSMS, e.SMS.ID, e.SMS.Direction, e.SMS.Status, e.SMS.DeliveryResult
		out.FromNumber, out.ToNumber = e.SMS.FromNumber, e.SMS.ToNumbers[0]
	case e.ChangeLog != nil:
		out.Kind, out.DialpadUsers = ledger.EventChangeLog, e.ChangeLog.UserIDs
	}
	if err := w.webhook.Save(r.Context(), out); err != nil {
		rw.WriteHeader(http.StatusInternalServerError)
	}
}

// start runs the Runner until the test ends.
func (w *world) start() {
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- w.Run(running) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Errorf("run: %v", err)
		}
	})
}

// connect lets Ana install the app and connect
// Dialpad, and waits until the connection is ready.
func (w *world) connect() {
	w.t.Helper()
	w.acme = w.db.Tenant("t_9")
	w.setPlan("business")
	t, err := w.db.Store.Tenants.Get(ctx, "t_9")
	w.must(err)
	_, err = w.Installer.Install(ctx, t, "42")
	w.must(err)
	address, _, err := w.Connector.Start(ctx, t, w.admin)
	w.must(err)
	_, ticket, _ := strings.Cut(address, "ticket=")
	consent, err := w.Connector.OpenWindow(ctx, ticket, "browser")
	w.must(err)
	back, err := w.phone.Consent(consent, sandbox.AnaID)
	w.must(err)
	u, err := url.Parse(back)
	w.must(err)
	out, err := w.Connector.Callback(ctx, connection.CallbackQuery{State: u.Query().Get("state"), Code: u.Query().Get("code"), Browser: "browser"})
	w.must(err)
	out, err = w.Connector.Confirm(ctx, out.Confirm.State, "browser")
	w.must(err)
	if !out.Done {
		w.t.Fatalf("not connected: %+v", out)
	}
	w.eventually(time.Minute, "connected", func() bool { return w.connection().Usable() })
	w.acme.Lane = sandbox.AcmeID
	w.acme.Rate(0)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) eventually(timeout time.Duration, what string, ok func() bool) {
	w.t.Helper()
	sandboxtest.Eventually(w.t, timeout, what, ok)
}

// eventuallySwept is eventually with a sweep each second. One sweep may not be
// enough: a job that still runs keeps a second one out of the queue.
func (w *world) eventuallySwept(d time.Duration, what string, ok func() bool) {
	w.t.Helper()
	var last time.Time
	w.eventually(d, what, func() bool {
		if time.Since(last) > time.Second {
			w.must(w.Sweep(ctx))
			last = time.Now()
		}
		return ok()
	})
}

func (w *world) connection() models.Connection {
	w.t.Helper()
	c, err := w.db.Connections.Get(ctx, "t_9")
	w.must(err)
	return c
}

func (w *world) batch(id string) ledger.Batch {
	w.t.Helper()
	b, err := w.db.Batches.Get(ctx, "t_9", "", id)
	w.must(err)
	return b
}

// counts returns how many texts of a batch are in each state.
func (w *world) counts(id string) ledger.Counts {
	w.t.Helper()
	all, err := w.db.Counters.ByBatch(ctx, "t_9", []string{id})
	w.must(err)
	return all[id]
}

// accountWords returns why an e-mail can't text, "" if it can.
func (w *world) accountWords(email string) string {
	w.t.Helper()
	a, err := w.db.Accounts.ByEmail(ctx, "t_9", email)
	w.must(err)
	return models.AccountProblem(a.State, a.Number)
}
