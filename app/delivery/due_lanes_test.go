package delivery_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"dialpad-texting/integrations/dialpad/sandbox"
)

// The query must cost by the lanes that are due, not by how many there are.
func TestDueLanesAreFoundByTheirIndex(t *testing.T) {
	l := newLoad(t, fresh(t, "postgres"), sandbox.Options{})
	l.insertLanes(10_000)
	plan := l.explain(`SELECT id FROM lanes WHERE due_at <= now() AND (lease_until IS NULL OR lease_until < now()) ORDER BY due_at LIMIT 200 FOR UPDATE SKIP LOCKED`)
	if !strings.Contains(plan, "lanes_due") || strings.Contains(plan, "Seq Scan") {
		t.Errorf("the plan:\n%s", plan)
	}
}

// BenchmarkDueLanes acquires and releases the five lanes
// that are due, among many that have nothing to do.
func BenchmarkDueLanes(b *testing.B) {
	for _, name := range []string{"sqlite", "postgres"} {
		for _, n := range []int{100, 1000, 10_000} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				l := newLoad(b, fresh(b, name), sandbox.Options{})
				l.insertLanes(n)
				now := time.Now().UTC()
				for b.Loop() {
					got, err := l.db.Lanes.AcquireAllTenants(context.Background(), "w1", time.Hour, 0, 200)
					if err != nil || len(got) != 5 {
						b.Fatal(len(got), err)
					}
					for _, lane := range got {
						if gone, err := l.db.Lanes.Release(context.Background(), lane, &now); !gone {
							b.Fatal("not released", err)
						}
					}
				}
			})
		}
	}
}

// insertLanes inserts n lanes. Five are due, a third is
// leased to another worker, the rest has nothing to do.
func (l *load) insertLanes(n int) {
	l.Helper()
	t := l.addCompany(1, 100, 0)
	db := l.open()
	defer func() { _ = db.Close() }()
	now := time.Now().UTC()
	at := map[bool]string{true: "CAST($3 AS timestamptz)", false: "$3"}[l.isPostgres()]
	later := strings.Replace(at, "3", "4", 1)
	_, err := db.Exec(`INSERT INTO lanes (id, tenant_id, due_at, lease_owner, lease_until, updated_at)
		SELECT 'l' || i, $2, CASE WHEN i <= 5 THEN `+at+` WHEN i % 3 = 0 THEN `+later+` END, CASE WHEN i > 5 AND i % 3 = 0 THEN 'w2' ELSE '' END,
			CASE WHEN i > 5 AND i % 3 = 0 THEN `+later+` END, `+at+` FROM `+l.series(), n, t.ID, now, now.Add(24*time.Hour))
	l.must(err)
	_, err = db.Exec("ANALYZE")
	l.must(err)
}

// explain returns how Postgres would run a statement.
func (l *load) explain(statement string) string {
	l.Helper()
	db := l.open()
	defer func() { _ = db.Close() }()
	rows, err := db.Query("EXPLAIN " + statement)
	l.must(err)
	defer func() { _ = rows.Close() }()
	var plan strings.Builder
	for rows.Next() {
		var line string
		l.must(rows.Scan(&line))
		plan.WriteString(line + "\n")
	}
	l.must(rows.Err())
	return plan.String()
}
