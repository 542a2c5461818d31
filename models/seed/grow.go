package seed

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver

	"dialpad-texting/models/sqlite"
)

// What Grow creates for n messages.
const (
	GiantBulk  = "000000000-giant" // with half of the messages, half of those open
	bulkSize   = 1000              // of the other bulks, all done
	minutesAgo = 365 * 24 * 60     // over which the messages are spread
)

// grower fills a tenant by statements of the database itself, which takes
// seconds where rows from a test would take hours.
type grower struct {
	*Tenant
	raw  *sql.DB
	dsn  string
	n    int
	now  string
	minT string // minutes between two messages
}

// Grow gives the tenant n messages of user 42: a tenth are one-to-ones, a half
// is one bulk under way, the rest are bulks that are done. One in 25 has failed
// or is unknown. Each has its recipient, each that was sent an event, and all
// are counted. n is at least 10,000.
func (t *Tenant) Grow(dsn string, n int) {
	t.db.t.Helper()
	g := &grower{Tenant: t, dsn: dsn, n: n, now: t.db.Now().Format("2006-01-02 15:04:05"), minT: fmt.Sprintf("%f", float64(minutesAgo)/float64(n))}
	var err error
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		g.raw, err = sqlite.Open(path)
	} else {
		g.raw, err = sql.Open("pgx", dsn)
	}
	t.db.check(err)
	defer func() { _ = g.raw.Close() }()
	for _, statement := range []string{g.batches(), g.messages(), growRecipients, growEvents, growCallbacks, growCounts, growTotals, growFlags, "ANALYZE"} {
		_, err := g.raw.ExecContext(context.Background(), statement)
		t.db.check(err)
	}
	t.db.skipCounts = true
}

func (g *grower) isSQLite() bool { return strings.HasPrefix(g.dsn, "sqlite:") }

// series is a table of the numbers i from 1 to n.
func (g *grower) series() string {
	if g.isSQLite() {
		return fmt.Sprintf("(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %d) SELECT i FROM s) AS s", g.n)
	}
	return fmt.Sprintf("generate_series(1, %d) AS s(i)", g.n)
}

// ago is the time at which the i-th message was made.
func (g *grower) ago() string {
	if g.isSQLite() {
		return fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%S+00:00', '%s', '-' || CAST((%d - i) * %s AS integer) || ' minutes')", g.now, g.n, g.minT)
	}
	return fmt.Sprintf("CAST('%s+00' AS timestamptz) - (%d - i) * %s * interval '1 minute'", g.now, g.n, g.minT)
}

// padded is i as text that sorts as the number does.
func (g *grower) padded(i string) string {
	if g.isSQLite() {
		return "printf('%09d', " + i + ")"
	}
	return "lpad(CAST(" + i + " AS text), 9, '0')"
}

// batchOf is the batch of the i-th message.
func (g *grower) batchOf() string {
	return fmt.Sprintf("CASE WHEN i %% 10 = 0 THEN %s || '-one' WHEN i %% 10 < 6 THEN '%s' ELSE %s || '-bulk' END",
		g.padded("i"), GiantBulk, g.padded(fmt.Sprintf("i - i %% %d + 1", bulkSize)))
}

func (g *grower) batches() string {
	return fmt.Sprintf(`INSERT INTO batches (id, tenant_id, user_id, user_email, user_name, sender_id, sender_email, sender_user_id, source, class,
		module, message, search_text, search_names, idempotency_key, body_hash, state, expected, prepared, created_at, started_at, finished_at, updated_at)
	SELECT id, '%s', '42', 'ana@acme.com', 'Ana', '1', 'ana@acme.com', '42', CASE WHEN id LIKE '%%-one' THEN 'one' ELSE 'bulk' END,
		CASE WHEN id LIKE '%%-one' THEN 0 ELSE 2 END, 'contact', 'Good news about your order', 'good news about your order', 'ana', id, '',
		CASE WHEN id = '%s' THEN 'sending' ELSE 'done' END, 1, true, at, at, CASE WHEN id = '%s' THEN NULL ELSE at END, at
	FROM (SELECT %s AS id, min(%s) AS at FROM %s GROUP BY 1) AS b`, g.ID, GiantBulk, GiantBulk, g.batchOf(), g.ago(), g.series())
}

func (g *grower) messages() string {
	return fmt.Sprintf(`INSERT INTO messages (id, tenant_id, batch_id, lane_id, class, turn, user_id, sender_id, module, record_id, contact_id, deal_id,
		name, search_name, to_number, to_key, from_number, text, segments, state, due_at, dialpad_id, attempt, sent_at, settled_at, created_at, updated_at)
	SELECT id, '%s', batch_id, '%s', CASE WHEN i %% 10 = 0 THEN 0 ELSE 2 END, i, '42', '1', 'contact', CAST(i AS text), CAST(i AS text), '',
		'Person ' || i, 'person ' || i, '+1' || (2000000000 + i), 'key' || i, '+14155550100', 'Good news about your order', 1, state,
		CASE WHEN state = 'waiting' THEN at END, CASE WHEN state IN ('queued', 'waiting') THEN '' ELSE 'd' || i END, 1,
		CASE WHEN state IN ('queued', 'waiting') THEN NULL ELSE at END, CASE WHEN state IN ('queued', 'waiting') THEN NULL ELSE at END, at, at
	FROM (SELECT i, 'm' || %s AS id, %s AS batch_id, %s AS at, CASE WHEN i %% 10 IN (1, 2) THEN 'queued' WHEN i %% 20 = 3 THEN 'waiting'
		WHEN i %% 50 = 7 THEN 'failed' WHEN i %% 50 = 10 THEN 'undelivered' WHEN i %% 1000 = 9 THEN 'uncertain'
		WHEN i %% 10 = 4 THEN 'sent' ELSE 'delivered' END AS state FROM %s) AS m`, g.ID, g.Lane, g.padded("i"), g.batchOf(), g.ago(), g.series())
}

const (
	growEvents = `INSERT INTO webhook_events (id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, state, message_id,
		received_at, processed_at)
	SELECT 'e' || id, tenant_id, 'sms', id, dialpad_id, 'outbound', from_number, to_number, state, 'applied', id, updated_at, updated_at
	FROM messages WHERE state IN ('sent', 'delivered', 'undelivered')`
	growCallbacks = `INSERT INTO callbacks (tenant_id, callback_id, message_id, batch_id, workflow_id, state, created_at, updated_at, completed_at)
	SELECT tenant_id, id, id, batch_id, 'w', 'completed', created_at, created_at, created_at FROM messages WHERE class = 0`
	growRecipients = `INSERT INTO recipients (batch_id, message_id, tenant_id, module, record_id, callback_id, contact_id, number_key, holds_number)
	SELECT batch_id, id, tenant_id, module, record_id, '', contact_id, to_key, true FROM messages`
	growCounts = `INSERT INTO batch_counts (tenant_id, batch_id, state, n)
	SELECT tenant_id, batch_id, CASE WHEN state IN ('queued', 'waiting', 'sending') THEN 'open' ELSE state END, count(*) FROM messages GROUP BY 1, 2, 3`
	growTotals = `INSERT INTO batch_counts (tenant_id, batch_id, state, n)
	SELECT tenant_id, '', 'open', sum(n) FROM batch_counts WHERE state = 'open' GROUP BY tenant_id`
	growFlags = `UPDATE batches SET
	has_failed = EXISTS (SELECT 1 FROM batch_counts c WHERE c.tenant_id = batches.tenant_id AND c.batch_id = batches.id AND c.state IN ('failed', 'undelivered')),
	has_unknown = EXISTS (SELECT 1 FROM batch_counts c WHERE c.tenant_id = batches.tenant_id AND c.batch_id = batches.id AND c.state = 'uncertain')`
)
