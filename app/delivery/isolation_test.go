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
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// companies is a Dialpad that behaves differently for each company, by token.
// What hangs does so until the test ends.
type companies struct {
	mu     sync.Mutex
	hangs  map[string]bool
	fails  map[string]bool
	posted map[string]int
	over   chan struct{}
}

func (c *companies) SendSMS(ctx context.Context, token string, _ dialpad.SMS) (dialpad.SMSResult, error) {
	c.mu.Lock()
	c.posted[token]++
	id, hangs, fails := fmt.Sprint(token, c.posted[token]), c.hangs[token], c.fails[token]
	c.mu.Unlock()
	if fails {
		return dialpad.SMSResult{}, &dialpad.Error{Kind: dialpad.Lost, Status: 500, Message: "Internal error"}
	}
	if hangs {
		return dialpad.SMSResult{ID: id}, c.hang(ctx)
	}
	return dialpad.SMSResult{ID: id}, nil
}

func (c *companies) hang(ctx context.Context) error {
	select {
	case <-c.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *companies) posts(tenantID string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.posted["access-"+tenantID]
}

// isolation is an engine between companies. t_1 hangs, the others answer.
type isolation struct {
	*companies
	t      *testing.T
	db     *seed.DB
	tokens delivery.Tokens
	people delivery.Accounts
	engine *delivery.Engine
}

func eachIsolation(t *testing.T, f func(w *isolation)) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		c := &companies{hangs: map[string]bool{"access-t_1": true}, fails: map[string]bool{}, posted: map[string]int{}, over: make(chan struct{})}
		w := &isolation{companies: c, t: t, db: seed.Store(t, dsn, time.Now)}
		w.tokens = connection.NewTokens(w.db.Store, nil, connection.Config{})
		f(w)
	})
}

// company connects a company with an account "1" and 800 texts a minute.
func (w *isolation) company(id string) *seed.Tenant {
	return w.db.Tenant(id).Connected("c"+id).Rate(800).Account("1", "ana@acme.com", "+14155550100")
}

// run starts the engine. It stops with the test.
func (w *isolation) run(cfg delivery.Config) {
	cfg.WorkerID, cfg.Poll = "w1", 10*time.Millisecond
	w.engine = delivery.New(w.db.Store, w.companies, eligibility.New(w.db.Store, eligibility.Config{Plans: []string{"business"}}), w.tokens, w.people, cfg)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.engine.Run(ctx) }()
	w.t.Cleanup(func() { close(w.over); stop(); <-done })
}

// counts returns how many texts of a batch are in each state.
func (w *isolation) counts(tenantID, batch string) ledger.Counts {
	w.t.Helper()
	counts, err := w.db.Counters.ByBatch(w.t.Context(), tenantID, []string{batch})
	if err != nil {
		w.t.Fatal(err)
	}
	return counts[batch]
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
	eachIsolation(t, func(w *isolation) {
		w.company("t_1").Batch("bulk", ledger.ClassBulk, "1", "ana@acme.com", 300)
		fast := w.company("t_2")
		w.run(delivery.Config{})
		eventually(w.t, "the slow company is braked", func() bool {
			return w.posts("t_1") > 3 && oldest(w.t, w.db, "bulk") > 4*time.Second
		})
		open := w.posts("t_1")
		fast.Batch("one", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
		eventually(w.t, "the other company's text is sent", func() bool { return w.counts("t_2", "one").Sent == 1 })
		if after := w.posts("t_1"); after > 45 || after > open+1 {
			w.t.Errorf("the company that hangs has %d open requests, %d before", after, open)
		}
	})
}

// TestManyCompaniesThatHangDoNotDelayAnother has more open requests of
// companies that hang than there are connections, beside one that fails.
func TestManyCompaniesThatHangDoNotDelayAnother(t *testing.T) {
	const connections, slow = 16, 4
	eachIsolation(t, func(w *isolation) {
		for i := range slow {
			id := fmt.Sprint("t_slow", i)
			w.hangs["access-"+id] = true
			w.company(id).Batch("bulk"+id, ledger.ClassBulk, "1", "ana@acme.com", 100)
		}
		w.fails["access-t_3"] = true
		w.company("t_3").Batch("failing", ledger.ClassBulk, "1", "ana@acme.com", 100)
		fast := w.company("t_2")
		w.run(delivery.Config{Connections: connections})
		eventually(w.t, "more requests hang than there are connections", func() bool {
			n := 0
			for i := range slow {
				n += w.posts(fmt.Sprint("t_slow", i))
			}
			return n > connections+slow
		})
		for i := range 5 {
			id := fmt.Sprint("one", i)
			fast.Batch(id, ledger.ClassOneToOne, "1", "ana@acme.com", 1)
			eventually(w.t, "the other company's text is sent", func() bool { return w.counts("t_2", id).Sent == 1 })
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
	eachIsolation(t, func(w *isolation) {
		w.company("t_1").Rate(0).Batch("bulk", ledger.ClassBulk, "1", "ana@acme.com", 500)
		w.run(delivery.Config{})
		eventually(w.t, "all connections carry a text", func() bool { return w.posts("t_1") == 128 })
		if got := w.counts("t_1", "bulk").Sending; got != 128 {
			w.t.Errorf("%d texts are claimed", got)
		}
	})
}

// TestABatchThatCannotBeReadStopsNoLane has a batch whose list of records is no
// list, beside one that is fine.
func TestABatchThatCannotBeReadStopsNoLane(t *testing.T) {
	eachIsolation(t, func(w *isolation) {
		at, fast := time.Now().Add(-time.Minute), w.company("t_2")
		fast.Batch("odd", ledger.ClassBulk, "1", "ana@acme.com", 1)
		if err := w.db.Batches.Update(t.Context(), "t_2", "odd", []string{ledger.BatchSending},
			map[string]any{"record_ids": `{"not":"a list"}`, "send_at": at, "late_do": ledger.LateHold, "late_minutes": 600}); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.db.Batches.Get(t.Context(), "t_2", "", "odd"); err == nil {
			w.t.Fatal("the row can be read")
		}
		fast.Batch("fine", ledger.ClassBulk, "1", "ana@acme.com", 1)
		w.run(delivery.Config{})
		eventually(w.t, "both lanes' texts are sent", func() bool { return w.posts("t_2") == 2 })
	})
}

// heldTokens gives no token of t_1 until the test ends, as when Dialpad's token
// endpoint hangs.
type heldTokens struct {
	delivery.Tokens
	w     *isolation
	asked chan struct{}
	once  sync.Once
}

func (h *heldTokens) Token(ctx context.Context, tenantID string) (connection.Token, error) {
	if tenantID == "t_1" {
		h.once.Do(func() { close(h.asked) })
		if err := h.w.hang(ctx); err != nil {
			return connection.Token{}, err
		}
	}
	return h.Tokens.Token(ctx, tenantID)
}

func TestATokenThatDoesNotComeHoldsNoConnection(t *testing.T) {
	eachIsolation(t, func(w *isolation) {
		w.company("t_1").Batch("bulk", ledger.ClassBulk, "1", "ana@acme.com", 20)
		fast := w.company("t_2")
		tokens := &heldTokens{Tokens: w.tokens, w: w, asked: make(chan struct{})}
		w.tokens = tokens
		w.run(delivery.Config{Connections: 1})
		<-tokens.asked
		fast.Batch("one", ledger.ClassOneToOne, "1", "ana@acme.com", 1)
		eventually(w.t, "the other company's text is sent", func() bool { return w.counts("t_2", "one").Sent == 1 })
		if c := w.counts("t_1", "bulk"); c.Queued != 20 {
			w.t.Errorf("claimed without a token: %+v", c)
		}
	})
}

// slowPeople reads no account of a bulk's sender until release.
type slowPeople struct {
	w       *isolation
	release chan struct{}
	mu      sync.Mutex
	reading map[string]bool
}

func (p *slowPeople) Fresh(ctx context.Context, tenantID, id string, _ time.Duration) (models.Account, error) {
	p.mu.Lock()
	p.reading[id] = true
	p.mu.Unlock()
	select {
	case <-p.release:
	case <-ctx.Done():
		return models.Account{}, ctx.Err()
	}
	read := models.Account{DialpadID: id, Emails: []string{id + "@acme.com"}, Number: "+1415555" + id, State: "active"}
	_, err := p.w.db.Accounts.Save(ctx, tenantID, time.Now(), []models.Account{read})
	return read, err
}

func (p *slowPeople) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.reading)
}

// TestSendersThatAreReadDelayNoOther has twenty senders whose state is old, and
// Dialpad does not say what it is.
func TestSendersThatAreReadDelayNoOther(t *testing.T) {
	const stale = 20
	eachIsolation(t, func(w *isolation) {
		people := &slowPeople{w: w, release: make(chan struct{}), reading: map[string]bool{}}
		w.people = people
		company := w.company("t_2").Rate(0)
		var texts []ledger.Message
		for i := range stale {
			id := fmt.Sprint(1000 + i)
			company.Account(id, id+"@acme.com", "+1415555"+id)
			texts = append(texts, company.Batch("bulk"+id, ledger.ClassBulk, id, id+"@acme.com", 3)...)
			if err := w.db.Accounts.MarkStale(w.t.Context(), "t_2", []string{id}); err != nil {
				w.t.Fatal(err)
			}
		}
		w.run(delivery.Config{Connections: 4})
		eventually(w.t, "all senders are being read", func() bool { return people.count() == stale })
		for i := range 3 {
			one := fmt.Sprint("one", i)
			company.Batch(one, ledger.ClassOneToOne, "1", "ana@acme.com", 1)
			eventually(w.t, "a text of another sender is sent", func() bool { return w.counts("t_2", one).Sent == 1 })
		}
		if n := w.posts("t_2"); n != 3 {
			w.t.Errorf("%d texts went out", n)
		}
		close(people.release)
		eventually(w.t, "all are sent", func() bool { return w.posts("t_2") == 3+len(texts) })
		for _, m := range texts {
			attempts, err := w.db.Messages.Attempts(w.t.Context(), "t_2", m.ID)
			if err != nil || len(attempts) > 0 {
				w.t.Fatalf("a text that was not tried has %d attempts, %v", len(attempts), err)
			}
		}
	})
}
