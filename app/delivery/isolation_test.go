package delivery_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// companies is a Dialpad that hangs for some companies, by token.
type companies struct {
	mu     sync.Mutex
	hangs  map[string]bool
	posted map[string]int
	over   chan struct{}
}

func (c *companies) SendSMS(ctx context.Context, token string, _ dialpad.SMS) (dialpad.SMSResult, error) {
	c.mu.Lock()
	c.posted[token]++
	id, hangs := fmt.Sprint(token, c.posted[token]), c.hangs[token]
	c.mu.Unlock()
	if hangs {
		select {
		case <-c.over:
		case <-ctx.Done():
			return dialpad.SMSResult{}, ctx.Err()
		}
	}
	return dialpad.SMSResult{ID: id}, nil
}

func (c *companies) posts(token string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.posted[token]
}

// eachWithCompanies runs a test on both databases with an engine between a
// company that hangs, t_1, and one that answers, t_2.
func eachWithCompanies(t *testing.T, f func(t *testing.T, db *seed.DB, slow, fast *seed.Tenant, c *companies, run func())) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		db := seed.Store(t, dsn, time.Now)
		c := &companies{hangs: map[string]bool{"access-t_1": true}, posted: map[string]int{}, over: make(chan struct{})}
		tenant := func(id string) *seed.Tenant {
			return db.Tenant(id).Connected("c"+id).Rate(800).Account("1", "ana@acme.com", "+14155550100")
		}
		e := delivery.New(db.Store, c, eligibility.New(db.Store, eligibility.Config{Plans: []string{"business"}}),
			connection.NewTokens(db.Store, nil, connection.Config{}), nil, delivery.Config{WorkerID: "w1", Poll: 10 * time.Millisecond})
		f(t, db, tenant("t_1"), tenant("t_2"), c, func() {
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { defer close(done); _ = e.Run(ctx) }()
			t.Cleanup(func() { close(c.over); stop(); <-done })
		})
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: ", what)
		}
	}
}

// TestACompanyThatHangsDoesNotDelayAnother waits until the slow company has all
// the open requests that it gets, and then texts from the other.
func TestACompanyThatHangsDoesNotDelayAnother(t *testing.T) {
	eachWithCompanies(t, func(t *testing.T, db *seed.DB, slow, fast *seed.Tenant, c *companies, run func()) {
		slow.Batch("bulk", ledger.ClassBulk, "1", "ana@acme.com", 300)
		run()
		eventually(t, "the slow company is braked", func() bool {
			before := c.posts("access-t_1")
			return before > 3 && oldest(t, db, "bulk") > 4*time.Second
		})
		open := c.posts("access-t_1")
		fast.Batch("one", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
		eventually(t, "the other company's text is sent", func() bool {
			counts, err := db.Messages.CountByBatch(t.Context(), "t_2", []string{"one"})
			return err == nil && counts["one"].Sent == 1
		})
		if after := c.posts("access-t_1"); after > 45 || after > open+1 {
			t.Errorf("the company that hangs has %d open requests, %d before", after, open)
		}
	})
}

// oldest returns the age of a batch's oldest text on the wire.
func oldest(t *testing.T, db *seed.DB, batch string) time.Duration {
	t.Helper()
	list, err := db.Messages.List(t.Context(), "t_1", batch, []string{ledger.Sending}, "", 1)
	if err != nil || len(list) == 0 {
		return 0
	}
	return time.Since(*list[0].ClaimedAt)
}

// TestAColdProcessClaimsNoMoreThanItsConnections counts what a kill would leave
// in doubt without a request behind it.
func TestAColdProcessClaimsNoMoreThanItsConnections(t *testing.T) {
	eachWithCompanies(t, func(t *testing.T, db *seed.DB, slow, _ *seed.Tenant, c *companies, run func()) {
		slow.Rate(0).Batch("bulk", ledger.ClassBulk, "1", "ana@acme.com", 500)
		run()
		eventually(t, "all connections carry a text", func() bool { return c.posts("access-t_1") == 128 })
		counts, err := db.Messages.CountByBatch(t.Context(), "t_1", []string{"bulk"})
		if err != nil || counts["bulk"].Sending != 128 {
			t.Errorf("%d texts are claimed, %v", counts["bulk"].Sending, err)
		}
	})
}

// TestABatchThatCannotBeReadStopsNoLane has a batch whose list of records is no
// list, beside one that is fine.
func TestABatchThatCannotBeReadStopsNoLane(t *testing.T) {
	eachWithCompanies(t, func(t *testing.T, db *seed.DB, _, fast *seed.Tenant, c *companies, run func()) {
		at := time.Now().Add(-time.Minute)
		fast.Batch("odd", ledger.ClassBulk, "1", "ana@acme.com", 1)
		if err := db.Batches.Update(t.Context(), "t_2", "odd", []string{ledger.BatchSending},
			map[string]any{"record_ids": `{"not":"a list"}`, "send_at": at, "late_do": ledger.LateHold, "late_minutes": 600}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Batches.Get(t.Context(), "t_2", "", "odd"); err == nil {
			t.Fatal("the row can be read")
		}
		fast.Batch("fine", ledger.ClassBulk, "1", "ana@acme.com", 1)
		run()
		eventually(t, "both lanes' texts are sent", func() bool { return c.posts("access-t_2") == 2 })
	})
}
