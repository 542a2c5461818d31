package delivery_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"dialpad-texting/app/delivery"
	"dialpad-texting/app/market"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// provider stands in for Dialpad where its own cost must not be measured: it answers after a time.
type provider struct{ answer time.Duration }

func (p provider) SendSMS(_ context.Context, _ string, sms dialpad.SMS) (dialpad.SMSResult, error) {
	if p.answer > 0 {
		time.Sleep(p.answer)
	}
	return dialpad.SMSResult{ID: sms.ToNumber, Status: "pending"}, nil
}

// databases gives each benchmark both. DATABASE_URL_TEST names a Postgres of your own, for figures with fsync on.
func databases(b *testing.B, run func(b *testing.B, db *seed.DB)) {
	b.Run("sqlite", func(b *testing.B) { run(b, seed.Store(b, modeltest.SQLite(b, seed.Migrate), time.Now)) })
	b.Run("postgres", func(b *testing.B) { run(b, seed.Store(b, modeltest.Postgres(b, seed.Migrate), time.Now)) })
}

// drained runs an engine over 64 connections until it has sent n texts, and reports texts a second, CPU a text and
// the process's peak memory.
func drained(b *testing.B, db *seed.DB, answer time.Duration, n int, during func(e *delivery.Engine)) {
	b.Helper()
	m := market.New(db.Store, nil, market.Config{Plans: []string{"business"}})
	e := delivery.New(db.Store, provider{answer}, m, nil, delivery.Config{WorkerID: "w1", Connections: 64})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	before, began := cpu(), time.Now()
	go func() { defer close(done); _ = e.Run(ctx) }()
	if during != nil {
		during(e)
	}
	for e.Counts().Sent < int64(n) {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	b.ReportMetric(float64(n)/took.Seconds(), "texts/s")
	b.ReportMetric(float64((cpu()-before).Microseconds())/1000/float64(n), "cpu-ms/text")
	b.ReportMetric(float64(peakMB()), "peak-MB")
	b.ReportMetric(0, "ns/op")
	cancel()
	<-done
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func peakMB() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Maxrss / 1024
}

// tenant seeds a connected tenant of its own, without a limit, and its one sender.
func tenant(db *seed.DB) (*seed.Tenant, string) {
	id := fmt.Sprint(time.Now().UnixNano())
	t := db.Tenant("t_"+id).Connected("c"+id).Rate(0).Account(id, "ana@acme.com", "+14155550100")
	return t, id
}

// BenchmarkTexts puts a bulk of 30,000 texts through a provider that answers at once.
func BenchmarkTexts(b *testing.B) {
	databases(b, func(b *testing.B, db *seed.DB) {
		for b.Loop() {
			t, sender := tenant(db)
			t.Batch("b"+sender, models.ClassBulk, sender, "ana@acme.com", 30_000)
			drained(b, db, 0, 30_000, nil)
		}
	})
}

// BenchmarkTextsAt50ms puts 12,800 texts through a provider that takes 50 ms: 64 connections carry 1,280 a second.
func BenchmarkTextsAt50ms(b *testing.B) {
	databases(b, func(b *testing.B, db *seed.DB) {
		for b.Loop() {
			t, sender := tenant(db)
			t.Batch("b"+sender, models.ClassBulk, sender, "ana@acme.com", 12_800)
			drained(b, db, 50*time.Millisecond, 12_800, nil)
		}
	})
}

// BenchmarkOneToOneDuringABulk asks how long a person's text waits, from accepted to settled, while a bulk of the same
// tenant runs without a limit.
func BenchmarkOneToOneDuringABulk(b *testing.B) {
	databases(b, func(b *testing.B, db *seed.DB) {
		for b.Loop() {
			t, sender := tenant(db)
			t.Batch("b"+sender, models.ClassBulk, sender, "ana@acme.com", 30_000)
			ben := sender + "1"
			t.Account(ben, "ben@acme.com", "+14155550101")
			var waits []time.Duration
			drained(b, db, 0, 30_100, func(e *delivery.Engine) {
				for i := range 100 {
					began := time.Now()
					m := t.Batch(fmt.Sprint("one", i, sender), models.ClassPerson, ben, "ben@acme.com", 1)
					for {
						got, err := db.Message(context.Background(), t.ID, "", m[0].ID)
						if err != nil {
							b.Fatal(err)
						}
						if got.SentAt != nil {
							waits = append(waits, got.ClaimedAt.Sub(began))
							break
						}
						time.Sleep(time.Millisecond)
					}
				}
			})
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "p50-ms")
		}
	})
}

// BenchmarkClaim claims from a lane beside many stored messages; BENCH_STORED sets how many (10,000).
func BenchmarkClaim(b *testing.B) {
	stored := 10_000
	if s := os.Getenv("BENCH_STORED"); s != "" {
		if _, err := fmt.Sscan(s, &stored); err != nil {
			b.Fatal(err)
		}
	}
	databases(b, func(b *testing.B, db *seed.DB) {
		old, sender := tenant(db)
		old.Batch("old"+sender, models.ClassBulk, sender, "ana@acme.com", stored)
		t, sender := tenant(db)
		t.Batch("b"+sender, models.ClassBulk, sender, "ana@acme.com", 20_000)
		lanes, err := db.AcquireLanesAllTenants(context.Background(), "w1", time.Hour, 10)
		if err != nil {
			b.Fatal(err)
		}
		at := slices.IndexFunc(lanes, func(l models.Lane) bool { return l.TenantID == t.ID })
		for b.Loop() {
			if _, _, err := db.Claim(context.Background(), lanes[at], models.Take{N: 1, Base: time.Now()}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
