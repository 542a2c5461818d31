package automation_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/market"
	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/queue"
	"dialpad-texting/models/seed"
)

var ctx = context.Background()

// connectWords are the contract's, section 5.
const connectWords = "You need an active DialPad connection to use this feature. Click here to connect."

// clock goes on by itself and can be put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time      { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) Add(d time.Duration) { c.ahead.Add(int64(d)) }

// world is the action between a real database, a CRM and a Dialpad, the last two over HTTP.
type world struct {
	*automation.Automation
	t      testing.TB
	dsn    string
	clock  *clock
	db     *seed.DB
	acme   *seed.Tenant
	host   *crmsandbox.Sandbox
	phone  *sandbox.Sandbox
	client *crm.Client
	dp     *dialpad.Client
	market *market.Market
	people *accounts.Accounts
	texts  *texting.Texting
	calls  int
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) { f(t, newWorld(t, dsn)) })
}

func newWorld(t testing.TB, dsn string) *world {
	w := &world{t: t, dsn: dsn, clock: &clock{}}
	secrets, err := crm.ParseSecrets("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	must(t, err)
	w.host = crmsandbox.New(crmsandbox.Options{Secrets: secrets, Domain: "localhost:8090", Now: w.clock.Now})
	host := httptest.NewServer(w.host)
	w.phone = sandbox.New(sandbox.Options{Now: w.clock.Now, TextsPerMinute: -1, RequestsPerSecond: -1})
	w.phone.SeedDemo()
	phone := httptest.NewServer(w.phone)
	t.Cleanup(func() { host.Close(); phone.Close(); w.phone.Close() })

	w.client = crm.New(host.URL+"/{linkname}", secrets, nil, w.clock.Now)
	w.dp = dialpad.New(dialpad.Config{BaseURL: phone.URL, Now: w.clock.Now})
	w.db = seed.Store(t, dsn, w.clock.Now)
	w.wire(w.db.Store)
	w.acme = w.db.Tenant("t_9")
	w.connect()
	return w
}

// wire makes the floors anew over a store, as another process has them.
func (w *world) wire(store *models.Store) {
	w.market = market.New(store, w.dp, market.Config{Plans: []string{"business", "enterprise"}, Now: w.clock.Now,
		AppPageURL: func(linkname string) string { return "http://" + linkname + ".localhost:8090/app" }})
	w.people = accounts.New(store, w.dp, w.market, w.client, w.clock.Now, nil)
	w.texts = texting.New(store, w.client, w.market, texting.Config{Now: w.clock.Now})
	w.Automation = automation.New(store, w.client, w.market, w.texts, automation.Config{Now: w.clock.Now,
		Live: func(ctx context.Context, tenantID string) error { return w.people.Live(ctx, tenantID, time.Minute) }})
}

// connect makes t_9 the demo's Acme, connected by Ana, unpaced, with everybody read.
func (w *world) connect() {
	w.t.Helper()
	_, err := w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "business",
		TimeZone: "America/New_York", SignedAt: w.clock.Now()})
	must(w.t, err)
	w.acme.Connected(sandbox.AcmeID).Rate(0)
	_, err = w.db.Connections.Save(ctx, models.NewConnection{TenantID: "t_9", CompanyID: sandbox.AcmeID, CompanyName: "Acme Inc", DialpadUserID: sandbox.AnaID,
		ConnectedBy: "ana@acme.com", ConnectedByUser: "42", Grant: models.Grant{Access: w.phone.IssueToken(sandbox.AnaID)}})
	must(w.t, err)
	_, err = w.people.SyncUsers(ctx, "t_9")
	must(w.t, err)
	_, err = w.people.SyncDirectory(ctx, "t_9")
	must(w.t, err)
	must(w.t, w.db.Connections.MarkReady(ctx, "t_9"))
}

// plan has the CRM sign another plan.
func (w *world) plan(plan string) {
	w.t.Helper()
	_, err := w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: plan,
		TimeZone: "America/New_York", SignedAt: w.clock.Now()})
	must(w.t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// call is a call for a record, from Ana to the mobile; change alters it.
func (w *world) call(record string, change ...func(*crm.Execute)) crm.Execute {
	w.calls++
	e := crm.Execute{Tenant: crm.Tenant{ID: "t_9"}, CallbackID: fmt.Sprintf("cb_%d", w.calls), Module: crm.ModuleContact, RecordID: record,
		Workflow: crm.Workflow{ID: "w1", Name: "Welcome"}, Inputs: crm.Inputs{FromUser: "42", ToField: "mobile", Message: "Hi {{Contact.firstName|there}}"}}
	for _, f := range change {
		f(&e)
	}
	return e
}

func from(user string) func(*crm.Execute)  { return func(e *crm.Execute) { e.Inputs.FromUser = user } }
func says(text string) func(*crm.Execute)  { return func(e *crm.Execute) { e.Inputs.Message = text } }
func flow(id string) func(*crm.Execute)    { return func(e *crm.Execute) { e.Workflow.ID = id } }
func field(name string) func(*crm.Execute) { return func(e *crm.Execute) { e.Inputs.ToField = name } }
func template(id string) func(*crm.Execute) {
	return func(e *crm.Execute) { e.Inputs.Message, e.Inputs.TemplateID = "", id }
}

// accept has the app take a call, and gives it with the message id it answered.
func (w *world) accept(e crm.Execute) (crm.Execute, string) {
	w.t.Helper()
	x, err := w.Execute(ctx, e)
	must(w.t, err)
	if x.State != "BLOCK" || x.MessageID == "" {
		w.t.Fatalf("answered %+v", x)
	}
	return e, x.MessageID
}

// carried accepts a call and carries it.
func (w *world) carried(e crm.Execute) (crm.Execute, string) {
	w.t.Helper()
	_, id := w.accept(e)
	must(w.t, w.Carry(ctx, "t_9", e.CallbackID))
	return e, id
}

func (w *world) message(id string) ledger.Message {
	w.t.Helper()
	m, err := w.db.Messages.Get(ctx, "t_9", "", id)
	must(w.t, err)
	return m
}

func (w *world) callback(id string) ledger.Callback {
	w.t.Helper()
	c, err := w.db.Callbacks.Get(ctx, "t_9", id)
	must(w.t, err)
	return c
}

// completion is what the CRM was told of a callback; it must have been told once.
func (w *world) completion(callbackID string) crm.Completion {
	w.t.Helper()
	told := w.told(callbackID)
	if len(told) != 1 {
		w.t.Fatalf("the CRM heard %d completions of %s", len(told), callbackID)
	}
	return told[0].Completion
}

func (w *world) told(callbackID string) []crmsandbox.Completion {
	var out []crmsandbox.Completion
	for _, c := range w.host.Completions() {
		if c.CallbackID == callbackID {
			out = append(out, c)
		}
	}
	return out
}

// settle claims everything in Acme's lane as a worker does and settles it.
func (w *world) settle(o ledger.Outcome) []ledger.ClaimedMessage {
	w.t.Helper()
	claimed := w.claim()
	for _, c := range claimed {
		o.ID, o.Attempt = c.ID, c.Attempt
		if o.State == ledger.Sent {
			o.DialpadID = "d-" + c.ID
		}
		o.CallbackID = c.CallbackID
		moved, err := w.db.Settle(ctx, []ledger.Outcome{o})
		must(w.t, err)
		err = w.db.FollowUp(ctx, moved)
		must(w.t, err)
	}
	return claimed
}

func (w *world) claim() []ledger.ClaimedMessage {
	w.t.Helper()
	lanes, err := w.db.Lanes.AcquireAllTenants(ctx, "test", time.Minute, 0, 10)
	must(w.t, err)
	if len(lanes) != 1 {
		w.t.Fatalf("%d lanes are due", len(lanes))
	}
	got, _, err := w.db.Lanes.Claim(ctx, lanes[0], ledger.ClaimSize{N: 100, Base: w.clock.Now()})
	must(w.t, err)
	must(w.t, w.db.Lanes.ReleaseOwnedAllTenants(ctx, "test"))
	return got
}

// jobs counts the jobs of a kind, of the given states if there are any.
func (w *world) jobs(kind string, states ...rivertype.JobState) int {
	w.t.Helper()
	client, err := w.db.River(&river.Config{})
	must(w.t, err)
	want := river.NewJobListParams().Kinds(kind).First(10_000)
	if len(states) > 0 {
		want = want.States(states...)
	}
	list, err := client.JobList(ctx, want)
	must(w.t, err)
	return len(list.Jobs)
}

func (w *world) batches() []ledger.Batch {
	w.t.Helper()
	list, err := w.db.Batches.List(ctx, "t_9", ledger.BatchFilter{}, "", 100)
	must(w.t, err)
	return list
}

func (w *world) counts(batchID string) ledger.Counts {
	w.t.Helper()
	c, err := w.db.Messages.CountByBatch(ctx, "t_9", []string{batchID})
	must(w.t, err)
	return c[batchID]
}

func (w *world) admin() texting.Asker {
	w.t.Helper()
	t, err := w.db.Store.Tenants.Get(ctx, "t_9")
	must(w.t, err)
	return texting.Asker{Tenant: t, UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin"}
}

// until waits for a condition; the test fails when it does not come true in time.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(40 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("never: %s", what)
		}
	}
}

// engine sends what is queued until the test ends or it is stopped.
func (w *world) engine() (stop func()) {
	e := delivery.New(w.db.Store, w.dp, w.market, w.people, delivery.Config{WorkerID: "w1", Poll: 10 * time.Millisecond, Now: w.clock.Now})
	run, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { _ = e.Run(run); close(done) }()
	stop = func() { cancel(); <-done }
	w.t.Cleanup(stop)
	return stop
}

type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	do func(context.Context, T) error
}

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error { return w.do(ctx, job.Args) }

// works runs the jobs of the action, as package work does, until the test ends.
func (w *world) works() {
	w.t.Helper()
	ws := river.NewWorkers()
	river.AddWorker(ws, &worker[queue.ExecuteCallback]{do: func(ctx context.Context, j queue.ExecuteCallback) error {
		return w.Carry(ctx, j.TenantID, j.CallbackID)
	}})
	river.AddWorker(ws, &worker[queue.CompleteCallback]{do: func(ctx context.Context, j queue.CompleteCallback) error {
		return w.Complete(ctx, j.TenantID, j.CallbackID)
	}})
	river.AddWorker(ws, &worker[queue.SyncTimeline]{do: func(context.Context, queue.SyncTimeline) error { return nil }})
	client, err := w.db.River(&river.Config{Workers: ws, FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond,
		RetryPolicy: soon{}, Queues: map[string]river.QueueConfig{queue.Automation: {MaxWorkers: 8}, queue.Sync: {MaxWorkers: 8}}})
	must(w.t, err)
	must(w.t, client.Start(ctx))
	w.t.Cleanup(func() { stopJobs(client) })
}

func stopJobs(client *river.Client[*sql.Tx]) { _ = client.StopAndCancel(ctx) }

// soon retries at once.
type soon struct{}

func (soon) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(20 * time.Millisecond) }

// somebodyWaits tells whether a statement on Postgres waits for a lock.
func (w *world) somebodyWaits() bool {
	w.t.Helper()
	db, err := sql.Open("pgx", w.dsn)
	must(w.t, err)
	defer db.Close()
	var n int
	must(w.t, db.QueryRow("SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&n))
	return n > 0
}
