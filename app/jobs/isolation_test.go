package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/app/batch"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/queue"
	"dialpad-texting/models/seed"
)

const manyCalls = 1000

// holdDialpad leaves Dialpad's calls unanswered until the test ends, and
// returns how many are.
func (w *world) holdDialpad() (held func() int) {
	w.phone.Fault(sandbox.Fault{Kind: sandbox.Slow, Times: manyCalls, Delay: time.Hour})
	w.t.Cleanup(w.phone.Close) // runs before the Runner stops, which waits for its jobs
	return func() int {
		for _, f := range w.phone.Faults() {
			if f.Kind == sandbox.Slow {
				return manyCalls - f.Times
			}
		}
		return 0
	}
}

// others connects n more tenants and returns a job for each.
func others[T river.JobArgs](w *world, n int, job func(tenantID string) T) (jobs []river.JobArgs) {
	for i := range n {
		id := fmt.Sprint("t_other", i)
		w.db.Tenant(id).Connected(fmt.Sprint("other", i))
		jobs = append(jobs, job(id))
	}
	return jobs
}

// TestResumeWaitsForNoConnectionCheck has 30 companies whose Dialpad does not
// answer.
func TestResumeWaitsForNoConnectionCheck(t *testing.T) {
	each(t, func(w *world) {
		w.acme.Waiting("b1", sandbox.BenID, "ben@acme.com", 3, w.clock.Now().Add(time.Hour))
		w.must(w.db.Batches.Update(ctx, "t_9", "b1", []string{ledger.BatchSending}, map[string]any{"state": ledger.BatchPaused, "user_id": "43"}))
		_, err := w.db.Messages.ChangeState(ctx, "t_9", "b1", []string{ledger.Waiting}, ledger.Held, "paused", "", 10)
		w.must(err)
		held := w.holdDialpad()
		w.must(w.db.Enqueue(ctx, others(w, 30, func(id string) queue.CheckConnection { return queue.CheckConnection{TenantID: id} })...))
		w.eventually(time.Minute, "all checks are under way", func() bool { return held() >= 30 })
		before := w.counts("b1").Held
		if code := w.resume("b1"); code != "" {
			w.t.Fatalf("resume: %s", code)
		}
		w.eventually(time.Minute, "the texts go on", func() bool { return before > 0 && w.counts("b1").Held == 0 })
	})
}

// TestSweepWaitsForNoDirectory has 12 companies whose directory does not come.
func TestSweepWaitsForNoDirectory(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.SweepInterval = 200 * time.Millisecond
		w.start()
		held := w.holdDialpad()
		w.must(w.db.Enqueue(ctx, others(w, 12, func(id string) queue.SyncDirectory { return queue.SyncDirectory{TenantID: id} })...))
		w.eventually(time.Minute, "all directories are asked for", func() bool { return held() >= 12 })
		db, err := database.Open(ctx, dsn, database.Options{})
		w.must(err)
		t.Cleanup(func() { _ = db.Close() })
		sweeps, last := 0, ""
		w.eventually(time.Minute, "five sweeps", func() bool { // a sweep begins when the one before has ended
			var at string
			w.must(db.Gorm(ctx).Raw("SELECT CAST(started_at AS text) FROM rounds WHERE name = 'sweep'").Scan(&at).Error)
			if at != last {
				last = at
				sweeps++
			}
			return sweeps > 5
		})
	})
}

// TestUnreadableBatchStopsNoRound has a batch in each state whose list of
// records is no list, older than one of the same state that is fine.
func TestUnreadableBatchStopsNoRound(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.acme = w.db.Tenant("t_9").Connected(sandbox.AcmeID).Account(sandbox.BenID, "ben@acme.com", "+14155550101").User("43", "ben@acme.com", true)
		w.setPlan("business")
		for _, state := range []string{ledger.BatchScheduled, ledger.BatchHeld, ledger.BatchPreparing} {
			w.storeScheduled("a-odd-" + state)
			w.storeScheduled("b-fine-" + state)
			for _, id := range []string{"a-odd-" + state, "b-fine-" + state} {
				w.must(w.db.Batches.Update(ctx, "t_9", id, []string{ledger.BatchScheduled}, map[string]any{"state": state, "held_at": w.clock.Now()}))
			}
		}
		w.spoil(dsn)
		w.must(w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID}))
		w.clock.Add(30 * time.Second)
		w.must(w.Sweep(ctx))
		if b := w.batch("b-fine-preparing"); !b.Prepared {
			t.Errorf("the stalled batch is %s, prepared %t", b.State, b.Prepared)
		}
		w.clock.Add(59 * time.Minute)
		_, err := w.Batches.Scheduler.StartDueAllTenants(ctx, 100)
		w.must(err)
		if b := w.batch("b-fine-scheduled"); b.State != ledger.BatchPreparing {
			t.Errorf("the scheduled batch is %s", b.State)
		}
		w.clock.Add(7 * 24 * time.Hour)
		w.must(w.Sweep(ctx))
		if b := w.batch("b-fine-held"); b.State != ledger.BatchCancelled {
			t.Errorf("the held batch is %s", b.State)
		}
	})
}

// spoil makes the batches a-odd-… unreadable.
func (w *world) spoil(dsn string) {
	w.t.Helper()
	db, err := database.Open(ctx, dsn, database.Options{})
	w.must(err)
	defer func() { _ = db.Close() }()
	w.must(db.Gorm(ctx).Exec(`UPDATE batches SET record_ids = '{"not":"a list"}', excluded = '7' WHERE id LIKE 'a-odd-%'`).Error)
	if _, err := w.db.Batches.Get(ctx, "t_9", "", "a-odd-held"); err == nil {
		w.t.Fatal("the row can be read")
	}
}

// TestTextsGoOutWhileTheirBulkIsPrepared holds the CRM's second page.
func TestTextsGoOutWhileTheirBulkIsPrepared(t *testing.T) {
	eachWithBulk(t, nil, func(w *world, id string, _ int) {
		w.eventually(time.Minute, "texts of the first page are sent", func() bool { c := w.counts(id); return c.Sent+c.Delivered > 0 })
		if b := w.batch(id); b.State != ledger.BatchPreparing {
			w.t.Errorf("the batch is %s", b.State)
		}
	}, crmsandbox.Fault{Type: crm.CallRecords, Kind: crmsandbox.FaultSlow, Next: 1},
		crmsandbox.Fault{Type: crm.CallRecords, Kind: crmsandbox.FaultSlow, Delay: time.Hour})
}

// TestPreparingGoesOnWhenItsJobsTimeIsUp has a page that takes longer than a job
// may, and no sweep that would resume the batch.
func TestPreparingGoesOnWhenItsJobsTimeIsUp(t *testing.T) {
	tune := func(w *world) { w.JobBudget, w.SweepInterval = 4*time.Second, time.Hour }
	eachWithBulk(t, tune, func(w *world, id string, people int) {
		w.eventually(time.Minute, "all are sent", func() bool {
			c := w.counts(id)
			return w.batch(id).Prepared && c.Sent+c.Delivered+c.Skipped == people
		})
		if twice := w.phone.TextedTwice(); len(twice) > 0 {
			w.t.Errorf("texted twice: %v", twice)
		}
	}, crmsandbox.Fault{Type: crm.CallRecords, Kind: crmsandbox.FaultSlow, Next: 2},
		crmsandbox.Fault{Type: crm.CallRecords, Kind: crmsandbox.FaultSlow, Next: 1, Delay: time.Hour})
}

// eachWithBulk creates a bulk of three pages, of Ben's, with faults of the CRM.
func eachWithBulk(t *testing.T, tune func(w *world), f func(w *world, id string, people int), faults ...crmsandbox.Fault) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		if tune != nil {
			tune(w)
		}
		w.start()
		w.connect()
		w.World.CRM.Seed(500, 0)
		selection, n, err := w.World.CRM.Select("acme", "43", crm.ModuleContact, "")
		w.must(err)
		for _, fault := range faults {
			w.World.CRM.Break(fault)
		}
		asker := w.benAsker()
		asker.Target = &crm.LaunchTarget{Mode: "bulk", Module: crm.ModuleContact, Selection: selection, Count: n}
		b, err := w.texts.Create(ctx, asker, "k1", batch.Request{Message: "Hello", MoveQuiet: new(bool)})
		w.must(err)
		f(w, b.ID, n)
	})
}
