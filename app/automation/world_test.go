package automation_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"dialpad-texting/app/access"
	"dialpad-texting/app/accounts"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/automation"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/apptest"
	"dialpad-texting/internal/sandboxtest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/queue"
	"dialpad-texting/models/seed"
)

var ctx = context.Background()

// connectWords are those of contract section 5.
const connectWords = "You need an active DialPad connection to use this feature. Click here to connect."

// world is the action between a real database and the two sandboxes.
type world struct {
	*automation.Automation
	*sandboxtest.World
	t           testing.TB
	dsn         string
	clock       *sandboxtest.Clock
	db          *seed.DB
	acme        *seed.Tenant
	host        *crmsandbox.Sandbox
	phone       *sandbox.Sandbox
	client      *crm.Client
	dp          *dialpad.Client
	eligible    *eligibility.Checker
	tokens      *connection.Tokens
	connections *connection.Connections
	people      *accounts.Accounts
	texts       apptest.Services
	calls       int
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) { f(t, newWorld(t, dsn)) })
}

func newWorld(t testing.TB, dsn string) *world {
	shared := sandboxtest.New(t, dsn, "")
	w := &world{World: shared, t: t, dsn: dsn, clock: shared.Clock, db: shared.DB, host: shared.CRM, phone: shared.Dialpad,
		client: shared.CRMClient, dp: shared.DialpadClient}
	w.build(w.db.Store)
	w.acme = w.db.Tenant("t_9")
	w.connect()
	return w
}

// build makes the app's parts anew over a store, as another process does.
func (w *world) build(store *models.Store) {
	w.tokens = connection.NewTokens(store, w.dp, connection.Config{Now: w.clock.Now})
	w.connections = connection.New(store, w.dp, w.tokens, connection.Config{Now: w.clock.Now})
	w.eligible = eligibility.New(store, eligibility.Config{Plans: []string{"business", "enterprise"},
		AppPageURL: func(linkname string) string { return "http://" + linkname + ".localhost:8090/app" }})
	w.people = accounts.New(store, w.dp, w.tokens, w.client, w.clock.Now, nil)
	w.eligible.ReadUsers(w.people)
	w.texts = apptest.NewServices(store, w.client, w.eligible, audience.Config{Now: w.clock.Now})
	w.Automation = automation.New(store, w.client, w.eligible, w.texts.Texts(), automation.Config{Now: w.clock.Now,
		RefreshPeople: func(ctx context.Context, tenantID string) error {
			return w.people.RefreshPeople(ctx, tenantID, time.Minute)
		}})
}

// connect connects Acme by Ana, without a rate limit, and reads all people.
func (w *world) connect() {
	w.t.Helper()
	w.setPlan("business")
	w.acme.Connected(sandbox.AcmeID).Rate(0)
	_, err := w.db.Connections.Save(ctx, models.NewConnection{TenantID: "t_9", CompanyID: sandbox.AcmeID, CompanyName: "Acme Inc", DialpadUserID: sandbox.AnaID,
		ConnectedBy: "ana@acme.com", ConnectedByUser: "42", Grant: models.Grant{Access: w.phone.IssueToken(sandbox.AnaID)}})
	must(w.t, err)
	_, err = w.people.SyncUsers(ctx, "t_9")
	must(w.t, err)
	_, err = w.people.SyncDirectory(ctx, "t_9")
	must(w.t, err)
	must(w.t, w.db.Connections.MarkReady(ctx, "t_9"))
}

func (w *world) setPlan(plan string) { w.SetPlan(w.t, plan) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// call returns a callback for a record, from Ana to the mobile number.
func (w *world) call(record string, change ...func(*crm.Execute)) crm.Execute {
	w.calls++
	e := crm.Execute{Tenant: crm.Tenant{ID: "t_9"}, CallbackID: fmt.Sprintf("cb_%d", w.calls), Module: crm.ModuleContact, RecordID: record,
		Workflow: crm.Workflow{ID: "w1", Name: "Welcome"}, Inputs: crm.Inputs{FromUser: "42", ToField: "mobile", Message: "Hi {{Contact.firstName|there}}"}}
	for _, f := range change {
		f(&e)
	}
	return e
}

func from(user string) func(*crm.Execute)    { return func(e *crm.Execute) { e.Inputs.FromUser = user } }
func message(text string) func(*crm.Execute) { return func(e *crm.Execute) { e.Inputs.Message = text } }
func flow(id string) func(*crm.Execute)      { return func(e *crm.Execute) { e.Workflow.ID = id } }
func field(name string) func(*crm.Execute)   { return func(e *crm.Execute) { e.Inputs.ToField = name } }
func template(id string) func(*crm.Execute) {
	return func(e *crm.Execute) { e.Inputs.Message, e.Inputs.TemplateID = "", id }
}

// accept executes a callback and returns it with the message id of the answer.
func (w *world) accept(e crm.Execute) (crm.Execute, string) {
	w.t.Helper()
	x, err := w.Execute(ctx, e)
	must(w.t, err)
	if x.State != "BLOCK" || x.MessageID == "" {
		w.t.Fatalf("answered %+v", x)
	}
	return e, x.MessageID
}

// process accepts a callback and processes it.
func (w *world) process(e crm.Execute) (crm.Execute, string) {
	w.t.Helper()
	_, id := w.accept(e)
	must(w.t, w.ProcessCallback(ctx, "t_9", e.CallbackID))
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

// completion returns the one completion of a callback that the CRM received.
func (w *world) completion(callbackID string) crm.Completion {
	w.t.Helper()
	got := w.completions(callbackID)
	if len(got) != 1 {
		w.t.Fatalf("the CRM received %d completions of %s", len(got), callbackID)
	}
	return got[0].Completion
}

func (w *world) completions(callbackID string) []crmsandbox.Completion {
	var out []crmsandbox.Completion
	for _, c := range w.host.Completions() {
		if c.CallbackID == callbackID {
			out = append(out, c)
		}
	}
	return out
}

// settle claims all texts of Acme's lane, as a worker does, and settles them.
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
	got, _, err := w.db.Lanes.Claim(ctx, lanes[0], ledger.ClaimParams{N: 100, Base: w.clock.Now()})
	must(w.t, err)
	must(w.t, w.db.Lanes.ReleaseOwnedAllTenants(ctx, "test"))
	return got
}

// countJobs counts the jobs of a kind, in the given states if there are any.
func (w *world) countJobs(kind string, states ...rivertype.JobState) int {
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
	c, err := w.db.Counters.ByBatch(ctx, "t_9", []string{batchID})
	must(w.t, err)
	return c[batchID]
}

func (w *world) admin() access.Asker {
	w.t.Helper()
	t, err := w.db.Store.Tenants.Get(ctx, "t_9")
	must(w.t, err)
	return access.Asker{Tenant: t, UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin"}
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	sandboxtest.Eventually(w.t, 2*time.Minute, what, ok)
}

// runEngine sends queued texts until the test ends or stop is called.
func (w *world) runEngine() (stop func()) {
	e := delivery.New(w.db.Store, w.dp, w.eligible, w.tokens, w.people, delivery.Config{WorkerID: "w1", Poll: 10 * time.Millisecond, Now: w.clock.Now})
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

// runJobs runs the action's jobs, as package jobs does, until the test ends.
func (w *world) runJobs() {
	w.t.Helper()
	ws := river.NewWorkers()
	river.AddWorker(ws, &worker[queue.ProcessCallback]{do: func(ctx context.Context, j queue.ProcessCallback) error {
		return w.ProcessCallback(ctx, j.TenantID, j.CallbackID)
	}})
	river.AddWorker(ws, &worker[queue.CompleteCallback]{do: func(ctx context.Context, j queue.CompleteCallback) error {
		return w.Complete(ctx, j.TenantID, j.CallbackID)
	}})
	river.AddWorker(ws, &worker[queue.SyncTimeline]{do: func(context.Context, queue.SyncTimeline) error { return nil }})
	client, err := w.db.River(&river.Config{Workers: ws, FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond,
		RetryPolicy: retrySoon{}, Queues: map[string]river.QueueConfig{queue.Automation: {MaxWorkers: 8}, queue.Sync: {MaxWorkers: 8}}})
	must(w.t, err)
	must(w.t, client.Start(ctx))
	w.t.Cleanup(func() { stopJobs(client) })
}

func stopJobs(client *river.Client[*sql.Tx]) { _ = client.StopAndCancel(ctx) }

// retrySoon retries almost at once.
type retrySoon struct{}

func (retrySoon) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(20 * time.Millisecond) }

// isLockAwaited reports whether a statement on Postgres waits for a lock.
func (w *world) isLockAwaited() bool {
	w.t.Helper()
	db, err := sql.Open("pgx", w.dsn)
	must(w.t, err)
	defer db.Close()
	var n int
	must(w.t, db.QueryRow("SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&n))
	return n > 0
}
