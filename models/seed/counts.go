package seed

import (
	"context"
	"testing"

	"dialpad-texting/models/ledger"
)

// maxCounted is how many messages of a batch are counted after a test.
const maxCounted = 500

// checkCounts fails the test unless the counts of each small batch are those
// of its messages: whatever changes a message's state must count it.
func (d *DB) checkCounts() {
	d.t.Helper()
	if d.skipCounts || d.t.Failed() || isBenchmark(d.t) {
		return
	}
	ctx := context.Background()
	if _, err := d.Counters.FoldAllTenants(ctx, 1); err != nil { // some are folded, some are not
		return
	}
	for _, tenant := range d.tenants {
		batches, err := d.Batches.List(ctx, tenant, ledger.BatchFilter{}, "", 50)
		if err != nil {
			return // the test has closed or broken the database
		}
		for _, b := range batches {
			d.checkBatch(ctx, tenant, b.ID)
		}
	}
}

// SkipCounts is for a test that changes messages by SQL of its own.
func (d *DB) SkipCounts() { d.skipCounts = true }

func (d *DB) checkBatch(ctx context.Context, tenant, id string) {
	d.t.Helper()
	messages, err := d.Messages.List(ctx, tenant, id, nil, "", maxCounted)
	if err != nil || len(messages) == maxCounted {
		return
	}
	counts, err := d.Counters.ByBatch(ctx, tenant, []string{id})
	d.check(err)
	want := ledger.CountsOf(messages)
	if counts[id] != want {
		d.t.Errorf("batch %s is counted as %+v, has %+v", id, counts[id], want)
	}
}

func isBenchmark(t testing.TB) bool {
	_, is := t.(*testing.B)
	return is
}
