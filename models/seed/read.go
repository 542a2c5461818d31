package seed

import (
	"context"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// CountJobs counts the waiting and running jobs of a kind.
func (d *DB) CountJobs(kind string) int {
	d.t.Helper()
	client, err := d.River(&river.Config{})
	d.check(err)
	list, err := client.JobList(context.Background(), river.NewJobListParams().Kinds(kind).First(10_000))
	d.check(err)
	return len(list.Jobs)
}

// CountSessions returns how many sessions a tenant has.
func (d *DB) CountSessions(tenantID string) int {
	d.t.Helper()
	n, err := d.Sessions.Count(context.Background(), tenantID)
	d.check(err)
	return int(n)
}

// AuditsOf returns a tenant's audit entries of one action.
func (d *DB) AuditsOf(tenantID, action string) []models.Audit {
	d.t.Helper()
	all, err := d.Audits.List(context.Background(), tenantID, 100)
	d.check(err)
	return slices.DeleteFunc(all, func(a models.Audit) bool { return a.Action != action })
}

// ScheduledBatch creates a bulk that is scheduled in an hour. It returns a
// function that reads the batch.
func (d *DB) ScheduledBatch(tenantID, id string) (read func() ledger.Batch) {
	d.t.Helper()
	ctx, at := context.Background(), d.Now().Add(time.Hour)
	_, _, err := d.Batches.Create(ctx, ledger.Batch{ID: id, TenantID: tenantID, UserID: "42", Source: ledger.SourceBulk,
		Class: ledger.ClassBulk, Module: "contact", Message: "Hi", IdempotencyKey: id, State: ledger.BatchScheduled, SendAt: &at})
	d.check(err)
	return func() ledger.Batch {
		d.t.Helper()
		b, err := d.Batches.Get(ctx, tenantID, "", id)
		d.check(err)
		return b
	}
}
