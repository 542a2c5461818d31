package delivery_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
	"dialpad-texting/models/sqlite"
)

// load is a database full of texts and a Dialpad sandbox in
// this process. The engines run in processes of their own.
type load struct {
	testing.TB
	dsn   string
	db    *seed.DB
	phone *sandbox.Sandbox
	url   string
}

func newLoad(t testing.TB, dsn string, o sandbox.Options) *load {
	t.Helper()
	o.RequestsPerSecond = -1
	if o.TextsPerMinute == 0 {
		o.TextsPerMinute = -1
	}
	l := &load{TB: t, dsn: dsn, db: seed.Store(t, dsn, time.Now), phone: sandbox.New(o)}
	srv := httptest.NewServer(l.phone)
	t.Cleanup(func() { l.phone.Close(); srv.Close() })
	l.url = srv.URL
	return l
}

func (l *load) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// addCompany adds a connected tenant. The sandbox
// knows its company, one person and a token.
func (l *load) addCompany(i, perMinute, reserve int) *seed.Tenant {
	l.Helper()
	id, user, email := strconv.Itoa(1_000_000+i), strconv.Itoa(2_000_000+i), fmt.Sprintf("ana%d@acme.com", i)
	from := fmt.Sprintf("+1%03d55501%02d", 200+i/100, i%100)
	l.phone.AddCompany(id, "Acme")
	l.phone.AddUser(sandbox.User{ID: user, CompanyID: id, Emails: []string{email}, Numbers: []string{from}, IsSuperAdmin: true})
	t := l.db.Tenant("t_"+id).Connected(id).Account(user, email, from)
	ctx := context.Background()
	_, err := l.db.Connections.Save(ctx, models.NewConnection{TenantID: t.ID, CompanyID: id, CompanyName: "Acme", DialpadUserID: user,
		ConnectedBy: email, ConnectedByUser: "42", Grant: models.Grant{Access: l.phone.IssueToken(user)}})
	l.must(err)
	l.must(l.db.Connections.MarkReady(ctx, t.ID))
	l.must(l.db.Tenants.SaveSettings(ctx, t.ID, models.Settings{Country: "US", RatePerMinute: perMinute, Reserve: reserve}))
	return t
}

// queueOne queues a one-to-one text and returns when it began.
func (l *load) queueOne(t *seed.Tenant, i int, number string) time.Time {
	l.Helper()
	began := time.Now()
	l.must(l.db.Tx(context.Background(), func(tx *models.Store) error {
		ctx, id := context.Background(), models.NewID()
		b := ledger.Batch{ID: id, TenantID: t.ID, UserID: "42", SenderID: sender(t), SenderEmail: fmt.Sprintf("ana%d@acme.com", i), Source: ledger.SourceOneToOne,
			Class: ledger.ClassOneToOne, Module: "contact", Message: "Hi", IdempotencyKey: id, State: ledger.BatchSending, Expected: 1, Prepared: true}
		if _, _, err := tx.Batches.Create(ctx, b); err != nil {
			return err
		}
		lane, err := tx.Lanes.Get(ctx, t.ID, t.Lane)
		if err != nil {
			return err
		}
		if _, err := tx.Messages.Add(ctx, lane, []ledger.Message{{ID: id, TenantID: t.ID, BatchID: id, LaneID: t.Lane, UserID: "42", SenderID: b.SenderID,
			Module: "contact", RecordID: number, ToNumber: number, Text: "Hi", Segments: 1, State: ledger.Queued}}); err != nil {
			return err
		}
		return tx.Lanes.MarkDue(ctx, t.ID, t.Lane, tx.Now())
	}))
	return began
}

func sender(t *seed.Tenant) string { return "2" + t.Lane[1:] }

// queueBulk queues n texts for each tenant.
// The database copies them from the first.
func (l *load) queueBulk(n int, tenants ...*seed.Tenant) {
	l.Helper()
	for _, t := range tenants {
		i, err := strconv.Atoi(t.Lane)
		l.must(err)
		t.Batch("bulk-"+t.ID, ledger.ClassBulk, sender(t), fmt.Sprintf("ana%d@acme.com", i-1_000_000), 1)
	}
	l.copyMessages("bulk-%", n-1, ledger.Queued)
	for _, t := range tenants {
		l.must(l.db.Lanes.MarkDue(context.Background(), t.ID, t.Lane, time.Now()))
	}
}

// copyMessages copies the queued texts of some batches n times,
// to numbers that nobody has (there is no area code 000).
func (l *load) copyMessages(batches string, n int, state string) {
	l.Helper()
	number := "'+1' || lpad(i::text, 10, '0')"
	if !l.isPostgres() {
		number = "printf('+1%010d', i)"
	}
	db := l.open()
	defer func() { _ = db.Close() }()
	_, err := db.Exec(`INSERT INTO messages (id, tenant_id, batch_id, lane_id, class, turn, user_id, sender_id, module, record_id, contact_id, deal_id,
			name, to_number, to_key, from_number, text, segments, state, dialpad_id, created_at, updated_at)
		SELECT m.id || '-' || i, tenant_id, batch_id, lane_id, class, turn + i, user_id, sender_id, module, i, contact_id, deal_id,
			name, `+number+`, to_key || i, from_number, text, segments, $2, CASE WHEN $2 = 'queued' THEN '' ELSE 'd' || i END, created_at, updated_at
		FROM messages m CROSS JOIN `+l.series()+` WHERE m.state = 'queued' AND m.batch_id LIKE $3`, n, state, batches)
	l.must(err)
	_, err = db.Exec("ANALYZE") // as autovacuum does after so many new rows
	l.must(err)
}

func (l *load) isPostgres() bool { return strings.HasPrefix(l.dsn, "postgres") }

// open opens the database for statements that models does not have.
func (l *load) open() *sql.DB {
	l.Helper()
	db, err := sql.Open("pgx", l.dsn)
	if path, ok := strings.CutPrefix(l.dsn, "sqlite:"); ok {
		db, err = sqlite.Open(path)
	}
	l.must(err)
	return db
}

// series is a table of the numbers i from 1 to the statement's first parameter.
func (l *load) series() string {
	if l.isPostgres() {
		return "generate_series(1, CAST($1 AS int)) AS s(i)"
	}
	return "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < $1) SELECT i FROM s)"
}

// waitAccepted waits until the sandbox has accepted n texts.
func (l *load) waitAccepted(n int) time.Time {
	l.Helper()
	for deadline := time.Now().Add(15 * time.Minute); l.phone.Accepted() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			l.Fatalf("%d of %d texts after 15 minutes", l.phone.Accepted(), n)
		}
	}
	return time.Now()
}

// databaseCPU returns the CPU time that all of Postgres's processes have used.
func (l *load) databaseCPU() (sum time.Duration) {
	l.Helper()
	if !l.isPostgres() {
		return 0
	}
	db := l.open()
	defer func() { _ = db.Close() }()
	var backend int
	l.must(db.QueryRow("SELECT pg_backend_pid()").Scan(&backend))
	server := parent(backend)
	_, ended := ticks(l, server)
	sum = ended
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil && parent(pid) == server {
			sum += cpuOf(l, pid)
		}
	}
	return sum
}

// parent returns the parent of a process, 0 if there is no such process.
func parent(pid int) int {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	if fields := strings.Fields(rest); len(fields) > 1 {
		n, _ := strconv.Atoi(fields[1])
		return n
	}
	return 0
}

// measureWorker runs one engine over the first texts of the queue
// and reports its speed, CPU and memory. The first tenth warms up.
func (l *load) measureWorker(b *testing.B, texts int) (perSecond float64) {
	b.Helper()
	e := startChild(b, l.dsn, l.url, "w1")
	first := l.phone.Accepted()
	warm := first + texts/10
	began := l.waitAccepted(warm)
	own, database, dialpad := e.cpu(), l.databaseCPU(), cpu()
	end := l.waitAccepted(first + texts)
	n := float64(l.phone.Accepted() - warm)
	own, database, dialpad = e.cpu()-own, l.databaseCPU()-database, cpu()-dialpad
	perSecond = n / end.Sub(began).Seconds()
	b.ReportMetric(perSecond, "texts/s")
	b.ReportMetric(own.Seconds()*1000/n, "cpu-ms/text")
	b.ReportMetric(database.Seconds()*1000/n, "db-cpu-ms/text")
	b.ReportMetric(dialpad.Seconds()*1000/n, "dialpad-cpu-ms/text")
	b.ReportMetric(modeltest.PeakMB(b, e.cmd.Process.Pid), "peak-MB")
	b.ReportMetric(0, "ns/op")
	e.stop()
	return perSecond
}

// checkSettled fails unless the ledger has each accepted text as sent.
func (l *load) checkSettled(t *seed.Tenant) {
	l.Helper()
	counts, err := l.db.Counters.ByBatch(context.Background(), t.ID, []string{"bulk-" + t.ID})
	l.must(err)
	if c := counts["bulk-"+t.ID]; c.Sent != l.phone.Accepted() || c.Sending+c.Uncertain+c.Failed > 0 {
		l.Errorf("%d accepted, the ledger says %+v", l.phone.Accepted(), c)
	}
}

// onBoth runs a benchmark on SQLite and on Postgres. With
// DURABLE_POSTGRES=1 Postgres syncs each commit, as it does by default.
func onBoth(b *testing.B, o sandbox.Options, run func(b *testing.B, l *load)) {
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				run(b, newLoad(b, fresh(b, name), o))
			}
		})
	}
}

func fresh(t testing.TB, name string) string {
	if name == "sqlite" {
		return modeltest.SQLite(t, seed.Migrate)
	}
	return modeltest.Postgres(t, seed.Migrate)
}

// instant is a Dialpad that answers at once and only counts.
var instant = sandbox.Options{CountOnly: true}

// BenchmarkWorker sends to a Dialpad that answers at once. Engine,
// Dialpad and database are separate processes on one machine.
func BenchmarkWorker(b *testing.B) {
	onBoth(b, instant, func(b *testing.B, l *load) {
		t := l.addCompany(1, 0, 0)
		l.queueBulk(60_000, t)
		l.measureWorker(b, 60_000)
		l.checkSettled(t)
	})
}

// BenchmarkWorkerAt50ms sends to a Dialpad that takes 50 ms for
// each answer: 64 connections send 1,280 texts a second at most.
func BenchmarkWorkerAt50ms(b *testing.B) {
	onBoth(b, instant, func(b *testing.B, l *load) {
		l.phone.Fault(sandbox.Fault{Kind: sandbox.Slow, Path: "/api/v2/sms", Delay: 50 * time.Millisecond})
		t := l.addCompany(1, 0, 0)
		l.queueBulk(16_000, t)
		perSecond := l.measureWorker(b, 16_000)
		l.checkSettled(t)
		b.ReportMetric(100*perSecond/1280, "%limit")
		b.ReportMetric(100*perSecond/l.bareRate(sender(t), 6_400), "%bare")
	})
}

// bareRate returns how many texts a second the same connections
// send without a ledger: the limit less the network's share.
func (l *load) bareRate(userID string, texts int) float64 {
	l.Helper()
	client := dialpad.New(dialpad.Config{BaseURL: l.url, ClientID: "id", ClientSecret: "secret", RedirectURL: redirect})
	token, numbers := l.phone.IssueToken(userID), make(chan string)
	var posting sync.WaitGroup
	began := time.Now()
	for range connections {
		posting.Go(func() {
			for to := range numbers {
				if _, err := client.SendSMS(context.Background(), token, dialpad.SMS{UserID: userID, ToNumber: to, Text: "Hi"}); err != nil {
					l.Error(err)
				}
			}
		})
	}
	for i := range texts {
		numbers <- fmt.Sprintf("+1002%07d", i)
	}
	close(numbers)
	posting.Wait()
	return float64(texts) / time.Since(began).Seconds()
}

// BenchmarkWorkerWithAMillionPending is
// BenchmarkWorker with a million texts in the queue.
func BenchmarkWorkerWithAMillionPending(b *testing.B) {
	for b.Loop() {
		l := newLoad(b, fresh(b, "postgres"), instant)
		t := l.addCompany(1, 0, 0)
		l.queueBulk(1_000_000, t)
		l.measureWorker(b, 60_000)
		l.checkSettled(t)
	}
}
