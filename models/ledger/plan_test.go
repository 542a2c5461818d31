package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// planned is how many messages the planners see.
const planned = 50_000

// grown are the tables that grow with a tenant's texts.
const grown = `(messages|batches|recipients|webhook_events|batch_counts|callbacks)`

// scans finds a step of a plan that reads a whole table, or a whole index.
var scans = regexp.MustCompile(`Seq Scan on ` + grown + `\b|^SCAN ` + grown + `\b`)

// partial are the indexes of what is few: reading all of one costs little.
var partial = regexp.MustCompile(`INDEX (messages_uncertain|messages_untold|webhook_events_pending|callbacks_open|batches_due|batches_(scheduled|sending|preparing|held))\b`)

// sorts finds a sort: with a LIMIT it reads all that it sorts.
var sorts = regexp.MustCompile(`Sort Key: |USE TEMP B-TREE FOR ORDER BY`)

// read is a query of a page, the popup or a sweep.
type read struct {
	name  string
	sorts bool // it sorts what is few whatever is stored
	do    func() error
}

// reads are the queries that must not cost by what is stored.
func reads(ctx context.Context, l *ledger.Ledger, now time.Time) []read {
	const tenant = "t_9"
	day := now.Add(-24 * time.Hour)
	list := func(f ledger.BatchFilter) func() error {
		return func() error { _, err := l.Batches.List(ctx, tenant, f, "9", 26); return err }
	}
	search := func(f ledger.BatchFilter) func() error {
		return func() error { _, _, err := l.Batches.Search(ctx, tenant, f, "9", 25); return err }
	}
	messages := func(states ...string) func() error {
		return func() error {
			_, err := l.Messages.List(ctx, tenant, seed.GiantBulk, states, "m", 101)
			return err
		}
	}
	ids := []string{seed.GiantBulk, "000001001-bulk"}
	return []read{
		{"outbox", false, list(ledger.BatchFilter{})},
		{"outbox of a user", false, list(ledger.BatchFilter{UserID: "42"})},
		{"outbox by source", false, list(ledger.BatchFilter{Source: "bulk"})},
		{"outbox by sender", false, list(ledger.BatchFilter{SenderUserID: "42"})},
		{"outbox by state", false, list(ledger.BatchFilter{State: "done"})},
		{"outbox of sending batches", true, list(ledger.BatchFilter{State: "sending"})},
		{"outbox of scheduled batches", true, list(ledger.BatchFilter{State: "scheduled"})},
		{"outbox with failed", false, list(ledger.BatchFilter{State: ledger.WithFailed})},
		{"outbox with unknown", false, list(ledger.BatchFilter{State: ledger.WithUnknown})},
		{"outbox with replied", false, list(ledger.BatchFilter{State: ledger.WithReplied})},
		{"last of a pair", true, func() error {
			_, err := l.Pairs.AnsweredAt(ctx, tenant, []string{"+14155550100"}, []string{"key10"}, day, now, time.Second)
			return ignoreNotFound(err)
		}},
		{"conversation", true, func() error { _, err := l.Pairs.PostedTo(ctx, tenant, []string{"key10"}, now, "", 20); return err }},
		{"contacts of a number", true, func() error { _, err := l.Pairs.CountContacts(ctx, tenant, []string{"key10"}); return err }},
		{"search", true, search(ledger.BatchFilter{Query: "nothing like this"})},
		{"search by number", true, search(ledger.BatchFilter{Query: "2", Numbers: []string{"+12000000001"}, NumberKeys: []string{"key10"}})},
		{"popup's bulks", false, func() error { _, err := l.Batches.Underway(ctx, tenant, "42", 3); return err }},
		{"counts of batches", true, func() error { _, err := l.Counters.ByBatch(ctx, tenant, ids); return err }},
		{"queued", false, func() error { _, err := l.Counters.Queued(ctx, tenant, "c9"); return err }},
		{"last hour", true, func() error { _, err := l.Counters.SettledSince(ctx, tenant, now.Add(-time.Hour)); return err }},
		{"last minute", false, func() error {
			_, err := l.Counters.AttemptedSince(ctx, tenant, now.Add(-time.Minute))
			return err
		}},
		{"one-to-ones", false, func() error { _, err := l.Messages.OneToOnes(ctx, tenant, []string{"000000010-one"}); return err }},
		{"last due", false, func() error { _, err := l.Messages.LastDue(ctx, tenant, seed.GiantBulk); return err }},
		{"last text to a number", true, func() error {
			_, err := l.Messages.LastSentTo(ctx, tenant, []string{"key10"}, day)
			return ignoreNotFound(err)
		}},
		{"texted by", false, func() error { _, err := l.Messages.TextedBy(ctx, tenant, "42", "key10"); return err }},
		{"messages", false, messages()},
		{"messages in a state", false, messages("failed")},
		{"messages that are queued", false, messages("queued", "waiting")},
		{"search of messages", true, func() error {
			_, _, err := l.Messages.Search(ctx, tenant, seed.GiantBulk, nil, "nobody", "m", 100)
			return err
		}},
		{"records of a batch", false, func() error { _, err := l.Messages.RecordIDs(ctx, tenant, seed.GiantBulk, 100); return err }},
		{"problems", false, func() error { _, err := l.Messages.CountProblems(ctx, tenant, "42", day, 100); return err }},
		{"held", true, func() error { _, err := l.OnHold.Causes(ctx, tenant, ""); return err }},
		{"held ids", true, func() error { _, err := l.OnHold.IDs(ctx, tenant, "42", "late", "0", 100); return err }},
		{"warnings", true, func() error { _, err := l.Batches.Warnings(ctx, tenant, "", 5); return err }},
		{"scheduled count", false, func() error { _, err := l.Counters.Batches(ctx, tenant, "scheduled"); return err }},
		{"receipt", false, func() error { _, err := l.Messages.Get(ctx, tenant, "42", "m000000010"); return err }},
		{"attempts", true, func() error { _, err := l.Messages.Attempts(ctx, tenant, "m000000010"); return err }},
		{"events", true, func() error { _, err := l.Events.ByMessage(ctx, tenant, "m000000010"); return err }},
		{"due batches", false, func() error { _, err := l.Batches.DueAllTenants(ctx, now, 100); return err }},
		{"scheduled batches", false, func() error { _, err := l.Batches.ScheduledAllTenants(ctx, "0", 100); return err }},
		{"long held", false, func() error { _, err := l.Batches.HeldSinceAllTenants(ctx, day, 100); return err }},
		{"stalled preparing", true, func() error { _, err := l.Batches.StalledPreparingAllTenants(ctx, now, 100); return err }},
		{"stalled sending", true, func() error { return l.Batches.FinishStalledAllTenants(ctx, day) }},
		{"orphaned", false, func() error { _, err := l.Batches.OrphanedAllTenants(ctx, now, 100); return err }},
		{"stalled callbacks", false, func() error { _, err := l.Callbacks.EnqueueStalledAllTenants(ctx, now, now, 100); return err }},
		{"pending events", true, func() error { _, err := l.Events.PendingAllTenants(ctx, now, 100); return err }},
		{"unmatched events", false, func() error { _, err := l.Events.DeleteUnmatchedAllTenants(ctx, day, 1000); return err }},
		{"ended batches", false, func() error { _, err := l.Retention.EndedAllTenants(ctx, now.Add(-300*24*time.Hour), 100); return err }},
		{"timelines", false, func() error { _, err := l.Timelines.PendingAllTenants(ctx); return err }},
		{"backlog", true, func() error { _, err := l.BacklogAllTenants(ctx); return err }},
	}
}

func ignoreNotFound(err error) error {
	if err == database.ErrNotFound { //nolint:errorlint // as it is returned
		return nil
	}
	return err
}

// TestNoReadCostsByWhatIsStored asks both planners how they run each query of a
// page, the popup and the sweep: with the parameters, the settings and the
// connection that it runs with.
func TestNoReadCostsByWhatIsStored(t *testing.T) {
	t.Parallel()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx, clock := t.Context(), seed.NewClock()
		db := seed.Store(t, dsn, clock.Now)
		db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100").Grow(dsn, planned)
		raw, err := database.Open(ctx, dsn, database.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = raw.Close() })
		p := &planner{T: t, embedded: raw.Embedded(), db: raw.Gorm(ctx)}
		p.listen()
		for _, r := range reads(ctx, ledger.New(raw), clock.Now()) {
			p.name, p.sorts = r.name, r.sorts
			if err := r.do(); err != nil {
				t.Errorf("%s: %v", r.name, err)
			}
		}
	})
}

// planner explains each statement that gorm runs.
type planner struct {
	*testing.T
	db       *gorm.DB
	embedded bool
	name     string
	sorts    bool
	busy     bool
}

func (p *planner) listen() {
	callbacks := p.db.Callback()
	for _, err := range []error{
		callbacks.Query().After("gorm:query").Register("plan", p.explain),
		callbacks.Row().After("gorm:row").Register("plan", p.explain),
		callbacks.Delete().After("gorm:delete").Register("plan", p.explain),
		callbacks.Raw().After("gorm:raw").Register("plan", p.explain),
	} {
		if err != nil {
			p.Fatal(err)
		}
	}
}

func (p *planner) explain(ran *gorm.DB) {
	statement := ran.Statement.SQL.String()
	if p.busy || statement == "" || ran.DryRun {
		return
	}
	p.busy = true
	defer func() { p.busy = false }()
	plan, err := p.planOf(ran)
	if err != nil {
		p.Errorf("%s: explain: %v\n%s", p.name, err, statement)
		return
	}
	for _, step := range plan {
		step = strings.TrimSpace(step)
		if scans.MatchString(step) && !partial.MatchString(step) || !p.sorts && sorts.MatchString(step) {
			p.Errorf("%s: %s\n%s\n%s", p.name, step, statement, strings.Join(plan, "\n"))
			return
		}
	}
}

// planOf explains a statement as the program runs it: on Postgres by the
// generic plan. Sequential scans are off there, because they win where a table
// is small.
func (p *planner) planOf(ran *gorm.DB) (plan []string, err error) {
	statement := ran.Statement.SQL.String()
	if p.embedded {
		return p.rows(ran.Statement.ConnPool, "EXPLAIN QUERY PLAN "+statement, ran.Statement.Vars...)
	}
	err = p.db.Session(&gorm.Session{NewDB: true}).Transaction(func(tx *gorm.DB) error {
		conn := tx.Statement.ConnPool
		execute := "EXPLAIN EXECUTE plan"
		if len(ran.Statement.Vars) > 0 {
			execute += "(" + literals(ran.Statement.Vars) + ")"
		}
		for _, statement := range []string{"PREPARE plan AS " + statement} {
			if _, err := conn.ExecContext(p.Context(), statement); err != nil {
				return err
			}
		}
		if plan, err = p.rows(conn, execute); err != nil {
			return err
		}
		_, err := conn.ExecContext(p.Context(), "DEALLOCATE plan")
		return err
	})
	return plan, err
}

// literals writes parameters for EXECUTE, which takes none itself.
func literals(vars []any) string {
	out := make([]string, len(vars))
	for i, v := range vars {
		if at, ok := v.(time.Time); ok {
			v = at.Format(time.RFC3339Nano)
		}
		if s, ok := v.(string); ok {
			v = "'" + strings.ReplaceAll(s, "'", "''") + "'"
		}
		out[i] = fmt.Sprint(v)
	}
	return strings.Join(out, ", ")
}

func (p *planner) rows(conn gorm.ConnPool, statement string, vars ...any) (plan []string, err error) {
	rows, err := conn.QueryContext(p.Context(), statement, vars...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		step, err := scanStep(rows)
		if err != nil {
			return nil, err
		}
		plan = append(plan, step)
	}
	return plan, rows.Err()
}

// scanStep reads the last column of a row of a plan.
func scanStep(rows *sql.Rows) (string, error) {
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	err = rows.Scan(values...)
	return fmt.Sprint(*values[len(values)-1].(*any)), err
}
