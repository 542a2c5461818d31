package work_test

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
	"sync/atomic"
	"testing"
	"time"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/market"
	"dialpad-texting/app/texting"
	"dialpad-texting/app/work"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

var ctx = context.Background()

// clock goes on by itself and can be put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time      { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) Add(d time.Duration) { c.ahead.Add(int64(d)) }

// world is a crew between a real database, a CRM and a Dialpad, the last two over HTTP, with events coming in.
type world struct {
	*work.Crew
	t     *testing.T
	clock *clock
	db    *seed.DB
	acme  *seed.Tenant
	phone *sandbox.Sandbox
	dp    *dialpad.Client
	admin models.Session
}

// each runs a test on both databases with a crew at work and Acme connected by Ana.
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
	w := &world{t: t, clock: &clock{}, admin: models.Session{TenantID: "t_9", UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin"}}
	secrets, err := crm.ParseSecrets("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	w.must(err)
	host := httptest.NewServer(crmsandbox.New(crmsandbox.Options{Secrets: secrets, Domain: "localhost:8090", Now: w.clock.Now}))
	ours := httptest.NewServer(http.HandlerFunc(w.event))
	w.phone = sandbox.New(sandbox.Options{ClientID: "id", ClientSecret: "secret", RedirectURIs: []string{ours.URL + "/connect/callback"},
		Now: w.clock.Now, TextsPerMinute: -1, RequestsPerSecond: -1})
	w.phone.SeedDemo()
	phone := httptest.NewServer(w.phone)
	t.Cleanup(func() { w.phone.Close(); host.Close(); ours.Close(); phone.Close() })

	w.db = seed.Store(t, dsn, w.clock.Now)
	now := w.clock.Now
	w.dp = dialpad.New(dialpad.Config{BaseURL: phone.URL, ClientID: "id", ClientSecret: "secret", RedirectURL: ours.URL + "/connect/callback",
		Scopes: []string{"offline_access", "change_log"}, Now: now})
	client := crm.New(host.URL+"/{linkname}", secrets, nil, now)
	mkt := market.New(w.db.Store, w.dp, market.Config{Plans: []string{"business"}, PublicURL: ours.URL, Now: now})
	people := accounts.New(w.db.Store, w.dp, mkt, client, now, nil)
	engine := delivery.New(w.db.Store, w.dp, mkt, people, delivery.Config{WorkerID: "w1", Now: now})
	texts := texting.New(w.db.Store, client, mkt, texting.Config{Now: now, Wake: engine.Wake})
	action := automation.New(w.db.Store, client, mkt, texts, automation.Config{Now: now, Wake: engine.Wake})
	log := slog.New(slog.DiscardHandler)
	w.Crew = &work.Crew{Store: w.db.Store, Market: mkt, Accounts: people, Texting: texts, Automation: action, Engine: engine,
		Teller: delivery.NewTeller(w.db.Store, client), Reconciler: delivery.NewReconciler(w.db.Store, log),
		OptOuts: texting.NewOptOuts(w.db.Store, w.dp, client, mkt, log), CRM: client, WorkerID: "w1", Now: now, Log: log}
	return w
}

// event is the webhook as the door has it: verified, stored, answered.
func (w *world) event(rw http.ResponseWriter, r *http.Request) {
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
	if _, err := w.db.SaveEvent(r.Context(), out); err != nil {
		rw.WriteHeader(http.StatusInternalServerError)
	}
}

// start lets the crew work until the test ends.
func (w *world) start() {
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- w.Run(running) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Errorf("the crew: %v", err)
		}
	})
}

// connect walks Ana from Install to a connection that is ready.
func (w *world) connect() {
	w.t.Helper()
	w.acme = w.db.Tenant("t_9")
	_, err := w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "business",
		TimeZone: "America/New_York", SignedAt: w.clock.Now()})
	w.must(err)
	t, err := w.db.Store.Tenants.Get(ctx, "t_9")
	w.must(err)
	_, err = w.Market.Install(ctx, t, "42")
	w.must(err)
	address, _, err := w.Market.StartConnect(ctx, t, w.admin)
	w.must(err)
	_, ticket, _ := strings.Cut(address, "ticket=")
	consent, err := w.Market.OpenWindow(ctx, ticket, "browser")
	w.must(err)
	back, err := w.phone.Consent(consent, sandbox.AnaID)
	w.must(err)
	u, err := url.Parse(back)
	w.must(err)
	out, err := w.Market.Callback(ctx, market.CallbackQuery{State: u.Query().Get("state"), Code: u.Query().Get("code"), Browser: "browser"})
	w.must(err)
	if !out.Done {
		w.t.Fatalf("not connected: %+v", out)
	}
	w.within(time.Minute, "connected", func() bool { return w.connection().Usable() })
	w.acme.Lane = sandbox.AcmeID
	w.acme.Rate(0)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// within waits for a condition, and tells how long that took.
func (w *world) within(d time.Duration, what string, ok func() bool) time.Duration {
	w.t.Helper()
	begun := time.Now()
	for !ok() {
		if time.Since(begun) > d {
			w.t.Fatalf("not within %s: %s; connection %+v", d, what, w.connection().Reason)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(begun)
}

// swept waits as within does, with a sweep now and then. One may not be enough: a job that is still at work on the same
// keeps its twin out of the queue.
func (w *world) swept(d time.Duration, what string, ok func() bool) {
	w.t.Helper()
	var last time.Time
	w.within(d, what, func() bool {
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

// counts are the states of a batch's texts.
func (w *world) counts(id string) ledger.Counts {
	w.t.Helper()
	all, err := w.db.Messages.CountByBatch(ctx, "t_9", []string{id})
	w.must(err)
	return all[id]
}

// words is what a person reads why an e-mail can't text, "" when it can.
func (w *world) words(email string) string {
	w.t.Helper()
	a, err := w.db.Accounts.ByEmail(ctx, "t_9", email)
	w.must(err)
	return models.AccountProblem(a.State, a.Number)
}
