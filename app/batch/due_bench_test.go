package batch_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// fakeCRM replaces a CRM whose own cost must not be measured.
type fakeCRM struct{ Client }

func (fakeCRM) ResolveRecords(_ context.Context, _ crm.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	return crm.Records{Records: []crm.Record{{Module: q.Module, ID: q.IDs[0], Name: "Bob", Fields: map[string]string{"Contact.firstName": "Bob"}}}}, nil
}

// fakeDialpad replaces Dialpad and remembers when the first text of
// each sender came, and how many came in all.
type fakeDialpad struct {
	mu    sync.Mutex
	first map[string]time.Time
	n     int
}

func (a *fakeDialpad) SendSMS(_ context.Context, _ string, sms dialpad.SMS) (dialpad.SMSResult, error) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.first[sms.UserID]; !known {
		a.first[sms.UserID] = now
	}
	a.n++
	return dialpad.SMSResult{ID: fmt.Sprint(sms.UserID, ":", a.n), Status: "pending"}, nil
}

func (a *fakeDialpad) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n
}

const (
	dueTenants = 1000
	dueBatches = 10 // of each
)

// BenchmarkDue10k schedules 10,000 one-to-one texts of 1,000 tenants
// for one instant, starts and prepares them in the two minutes before,
// as the worker does, and asks how late the first text of each tenant
// reaches Dialpad.
func BenchmarkDue10k(b *testing.B) {
	for name, open := range map[string]func(testing.TB, modeltest.Migrate) string{"sqlite": modeltest.SQLite, "postgres": modeltest.Postgres} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				due10k(b, seed.Store(b, open(b, seed.Migrate), time.Now))
			}
		})
	}
}

func due10k(b *testing.B, db *seed.DB) {
	for i := range dueTenants {
		db.Tenant(fmt.Sprint("t_", i)).Connected(fmt.Sprint("c", i)).Account(fmt.Sprint(i), fmt.Sprintf("ana%d@acme.com", i), fromOf(i))
	}
	at := time.Now().Add(110 * time.Second)
	for i := range dueTenants * dueBatches {
		tenant, id := i%dueTenants, models.NewID()
		_, _, err := db.Batches.Create(Ctx, ledger.Batch{ID: id, TenantID: fmt.Sprint("t_", tenant), UserID: "42", SenderEmail: fmt.Sprintf("ana%d@acme.com", tenant),
			Source: ledger.SourceOneToOne, Class: ledger.ClassOneToOne, Module: "contact", RecordIDs: []string{"7"}, ToNumber: fmt.Sprintf("+1415555%04d", 100+i%100),
			Message: Hi, IdempotencyKey: id, State: ledger.BatchScheduled, SendAt: &at, Expected: 1, LateMinutes: 60, LateDo: ledger.LateHold})
		Must(b, err)
	}
	eligible := eligibility.New(db.Store, eligibility.Config{Plans: []string{"business"}})
	x := NewServices(db.Store, fakeCRM{}, eligible, audience.Config{})
	phone := &fakeDialpad{first: map[string]time.Time{}}
	e := delivery.New(db.Store, phone, eligible, connection.NewTokens(db.Store, nil, connection.Config{}), nil, delivery.Config{WorkerID: "w1"})
	running, stop := context.WithCancel(Ctx)
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Run(running) }()

	begun := time.Now()
	prepareAll(b, db, x)
	b.ReportMetric(time.Since(begun).Seconds(), "prepare-s")
	for phone.count() < dueTenants*dueBatches {
		time.Sleep(10 * time.Millisecond)
		if time.Since(at) > time.Minute {
			b.Fatalf("%d came", phone.count())
		}
	}
	stop()
	<-done
	var late []time.Duration
	for _, t := range phone.first {
		late = append(late, t.Sub(at))
	}
	slices.Sort(late)
	if late[0] < 0 || len(late) != dueTenants {
		b.Fatalf("%d tenants, the first %s early", len(late), -late[0])
	}
	b.ReportMetric(float64(late[len(late)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(late[len(late)-1].Milliseconds()), "max-ms")
	b.ReportMetric(0, "ns/op")
}

func fromOf(tenant int) string { return fmt.Sprintf("+1%03d55501%02d", 200+tenant/100, tenant%100) }

// prepareAll starts what is due and prepares it, 24 at a time as the
// queue does.
func prepareAll(b *testing.B, db *seed.DB, x Services) {
	for {
		n, err := x.Scheduler.StartDueAllTenants(Ctx, 200)
		Must(b, err)
		if n.Started == 0 {
			break
		}
	}
	var g errgroup.Group
	g.SetLimit(24)
	for i := range dueTenants {
		list, err := db.Batches.List(Ctx, fmt.Sprint("t_", i), ledger.BatchFilter{State: ledger.BatchPreparing}, "", dueBatches)
		Must(b, err)
		for _, batch := range list {
			g.Go(func() error { _, err := x.Prepare(Ctx, batch.TenantID, batch.ID); return err })
		}
	}
	Must(b, g.Wait())
}
