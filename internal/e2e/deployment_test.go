// Package e2e tests the whole program over HTTP, with sandboxes of Dialpad and
// of the CRM around it.
package e2e

import (
	"database/sql"
	"os"
	"strings"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
	"dialpad-texting/models/sqlite"
)

func TestMain(m *testing.M) { demotest.Main(m) }

// deployment is the program as processes that stop and start all at once: one
// on SQLite, a web server and two workers on Postgres.
type deployment struct {
	*demotest.Demo
	dsn     string
	environ []string
	running []*demotest.Process
}

// deployOnEachDatabase runs a test with a connected deployment on SQLite and on
// Postgres, side by side.
func deployOnEachDatabase(t *testing.T, test func(d *deployment)) {
	t.Helper()
	modeltest.Each(t, nil, func(t *testing.T, dsn string) {
		unlimited := func(o *dialpadsandbox.Options) { o.RequestsPerSecond = -1 } // so that no text is refused and sent again
		demo, environ := demotest.StartSandboxes(t, dsn, unlimited)
		d := &deployment{Demo: demo, dsn: dsn, environ: environ}
		d.start()
		d.RaiseLimits(d.Connect())
		test(d)
	})
}

func (d *deployment) start() {
	d.T.Helper()
	commands := []string{"serve"}
	if strings.HasPrefix(d.dsn, "postgres") {
		commands = append(commands, "worker", "worker")
	}
	for _, command := range commands {
		d.running = append(d.running, demotest.StartProcess(d.T, d.environ, command))
	}
	d.Until("the app is ready", d.Ready)
}

// kill kills every process with -9 and waits for their end.
func (d *deployment) kill() {
	d.T.Helper()
	for _, p := range d.running {
		p.Signal(os.Kill)
	}
	for _, p := range d.running {
		p.Wait()
	}
	d.running = nil
}

// schedule creates a batch for in three hours and returns its path.
func (d *deployment) schedule(p *demotest.Page, message string, late map[string]any) string {
	d.T.Helper()
	body := map[string]any{"message": message, "schedule": map[string]any{"local": wallTime(time.Now().Add(3 * time.Hour)), "time_zone": "UTC"}}
	if late != nil {
		body["late"] = late
	}
	a, path := p.CreateBatch(message, body)
	if a.Text("batch.state") != ledger.BatchScheduled {
		d.T.Fatalf("schedule: %s", a.Body)
	}
	return path
}

func wallTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04") }

// reschedule writes another time into scheduled batches, while no process runs.
// A time that is not a whole minute has no wall time.
func (d *deployment) reschedule(at time.Time, batches ...string) {
	d.T.Helper()
	set := map[string]any{"send_at": at.UTC(), "local_time": wallTime(at)}
	if !at.Equal(at.Truncate(time.Minute)) {
		set["local_time"] = ""
	}
	d.updateBatches(ledger.BatchScheduled, set, batches)
}

func (d *deployment) updateBatches(state string, set map[string]any, batches []string) {
	d.T.Helper()
	store, err := models.Open(d.T.Context(), d.dsn, models.Options{Vault: seed.Vault()})
	d.Must(err)
	defer func() { d.Must(store.Close()) }()
	for _, b := range batches {
		d.Must(store.Batches.Update(d.T.Context(), "t_9", b[strings.LastIndex(b, "/")+1:], []string{state}, set))
	}
}

// makeDue lets the time of prepared batches come while no process runs: their
// messages and lanes are due at that time.
func (d *deployment) makeDue(at time.Time, batches ...string) {
	d.T.Helper()
	d.updateBatches(ledger.BatchSending, map[string]any{"send_at": at.UTC(), "local_time": ""}, batches)
	db := d.open()
	defer func() { d.Must(db.Close()) }()
	for _, statement := range []string{
		`UPDATE messages SET due_at = (SELECT send_at FROM batches WHERE batches.id = messages.batch_id) WHERE state = 'waiting'`,
		`UPDATE lanes SET due_at = (SELECT MIN(due_at) FROM messages WHERE messages.lane_id = lanes.id AND state = 'waiting')`,
	} {
		_, err := db.ExecContext(d.T.Context(), statement)
		d.Must(err)
	}
}

func (d *deployment) open() *sql.DB {
	d.T.Helper()
	path, embedded := strings.CutPrefix(d.dsn, "sqlite:")
	if embedded {
		db, err := sqlite.Open(path)
		d.Must(err)
		return db
	}
	db, err := sql.Open("pgx", d.dsn)
	d.Must(err)
	return db
}

// waitDelivered waits until a batch is done and each of its texts delivered.
func (d *deployment) waitDelivered(p *demotest.Page, batch string) {
	d.T.Helper()
	var b demotest.Answer
	d.Until("delivered", func() bool {
		b = p.Get(batch)
		return b.Text("batch.state") == ledger.BatchDone && b.At("batch.counts.sent") == 0.0
	})
	if b.At("batch.counts.delivered") != b.At("batch.counts.total") {
		d.T.Errorf("at the end: %s", b.Body)
	}
}

// wantTexts checks how many texts Dialpad was sent altogether, none of them
// twice.
func (d *deployment) wantTexts(n int) {
	d.T.Helper()
	posts, accepted, twice := d.DialpadSandbox.SMSPosts(), d.DialpadSandbox.Accepted(), d.DialpadSandbox.TextedTwice()
	if posts != n || accepted != n || len(twice) != 0 {
		d.T.Errorf("Dialpad was sent %d texts and accepted %d, want %d; twice: %v", posts, accepted, n, twice)
	}
}

// fourContacts is the context of a popup for a bulk to four contacts.
func fourContacts() crm.LaunchTarget {
	return crm.LaunchTarget{Mode: "bulk", Module: crm.ModuleContact, RecordIDs: []string{"1", "2", "3", "7"}}
}
