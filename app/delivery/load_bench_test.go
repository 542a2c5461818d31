package delivery_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// benchTime is how long the benchmarks of a rate run: BENCH_TIME, or 2 minutes.
func benchTime(t testing.TB) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(os.Getenv("BENCH_TIME"))
	if os.Getenv("BENCH_TIME") == "" {
		return 2 * time.Minute
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// mostInAMinute returns the largest number of texts
// of one company in any 60 s, as Dialpad counts.
func mostInAMinute(texts []sandbox.Text) int {
	most, of := 0, map[string][]time.Time{}
	for _, t := range texts {
		at := of[t.CompanyID]
		for len(at) > 0 && t.At.Sub(at[0]) >= time.Minute {
			at = at[1:]
		}
		at = append(at, t.At)
		most, of[t.CompanyID] = max(most, len(at)), at
	}
	return most
}

// BenchmarkRate has three replicas. Each half minute one leaves
// and another joins. The tenant has a limit of 120 a minute and
// 20 in reserve; Dialpad refuses the 101st text in 60 s.
func BenchmarkRate(b *testing.B) {
	for b.Loop() {
		l := newLoad(b, fresh(b, "postgres"), sandbox.Options{TextsPerMinute: 100})
		t := l.addCompany(1, 120, 20)
		took := benchTime(b)
		l.queueBulk(int(100*took.Minutes())+500, t)
		var replicas []*child
		for i := range 3 {
			replicas = append(replicas, startChild(b, l.dsn, l.url, fmt.Sprint("w", i)))
		}
		began := l.waitAccepted(1)
		for i := 3; time.Since(began)+30*time.Second < took; i++ {
			time.Sleep(30 * time.Second)
			replicas[0].stop()
			replicas = append(replicas[1:], startChild(b, l.dsn, l.url, fmt.Sprint("w", i)))
		}
		time.Sleep(took - time.Since(began))
		used := float64(l.phone.Accepted())
		b.ReportMetric(100*used/(100*took.Minutes()), "%rate")
		b.ReportMetric(float64(mostInAMinute(l.phone.Texts())), "most/60s")
		b.ReportMetric(float64(l.phone.SMSPosts()-l.phone.Accepted()), "refused")
		b.ReportMetric(0, "ns/op")
	}
}

// BenchmarkTenants has many companies text at once,
// each at its own limit: 1,667 texts a second in all.
func BenchmarkTenants(b *testing.B) {
	for _, c := range []struct{ tenants, perMinute int }{{1000, 100}, {10_000, 10}} {
		b.Run(fmt.Sprint(c.tenants), func(b *testing.B) {
			for b.Loop() {
				benchmarkTenants(b, c.tenants, c.perMinute)
			}
		})
	}
}

func benchmarkTenants(b *testing.B, n, perMinute int) {
	l := newLoad(b, fresh(b, "postgres"), sandbox.Options{TextsPerMinute: perMinute})
	all := make([]*seed.Tenant, n)
	for i := range all {
		all[i] = l.addCompany(i, perMinute, 0)
	}
	took := min(benchTime(b), 2*time.Minute)
	l.queueBulk(perMinute*(2+int(took.Minutes())), all...)
	e := startChild(b, l.dsn, l.url, "w1")
	l.waitAccepted(3 * n) // each lane has started
	cpu, database, began, before := e.cpu(), l.databaseCPU(), time.Now(), l.phone.Accepted()
	time.Sleep(took)
	cpu, database = e.cpu()-cpu, l.databaseCPU()-database
	span, sent := time.Since(began), float64(l.phone.Accepted()-before)
	b.ReportMetric(100*sent/(float64(n*perMinute)*span.Minutes()), "%rate")
	b.ReportMetric(float64(mostInAMinute(l.phone.Texts())), "most/60s")
	b.ReportMetric(float64(l.phone.SMSPosts()-l.phone.Accepted()), "refused")
	b.ReportMetric(cpu.Seconds()/span.Seconds(), "worker-cores")
	b.ReportMetric(database.Seconds()/span.Seconds(), "db-cores")
	b.ReportMetric(modeltest.PeakMB(b, e.cmd.Process.Pid), "peak-MB")
	b.ReportMetric(0, "ns/op")
	e.stop()
}

// BenchmarkOneToOne measures how long a one-to-one text takes from
// its request until Dialpad has it, while a bulk of the same tenant
// runs. Without a limit the bulk is larger: it must not end before.
func BenchmarkOneToOne(b *testing.B) {
	for _, c := range []struct {
		name          string
		bulk, n       int
		perMinute     int
		between, plus time.Duration
	}{{"unlimited", 400_000, 200, 0, 20 * time.Millisecond, 30 * time.Millisecond},
		{"100 a minute", 100_000, 60, 100, 700 * time.Millisecond, time.Second}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				l := newLoad(b, fresh(b, "postgres"), sandbox.Options{})
				t := l.addCompany(1, c.perMinute, 0)
				l.queueBulk(c.bulk, t)
				e := startChild(b, l.dsn, l.url, "w1")
				l.waitAccepted(5)
				asked := map[string]time.Time{}
				for i := range c.n {
					number := fmt.Sprintf("+1001%07d", i)
					asked[number] = l.queueOne(t, 1, number)
					time.Sleep(c.between + rand.N(c.plus))
				}
				reportWaits(b, l, c.bulk, asked)
				e.stop()
			}
		})
	}
}

func reportWaits(b *testing.B, l *load, bulk int, asked map[string]time.Time) {
	b.Helper()
	if l.phone.Accepted() >= bulk {
		b.Fatal("the bulk was over too soon")
	}
	time.Sleep(time.Second)
	var waits []float64
	for _, t := range l.phone.Texts() {
		if began, ok := asked[t.To]; ok {
			waits = append(waits, float64(t.At.Sub(began).Microseconds())/1000)
		}
	}
	if len(waits) != len(asked) {
		b.Fatalf("%d of %d went out", len(waits), len(asked))
	}
	slices.Sort(waits)
	b.ReportMetric(waits[len(waits)*99/100], "p99-ms")
	b.ReportMetric(waits[len(waits)/2], "p50-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkTakeover kills the worker that drains a lane of 300 a minute. gap-s
// is how long the lane stands still: the product promises 15 s at most. A slot
// may be used 200 ms late, so 10 texts need 1.8 s at least; less is a burst.
func BenchmarkTakeover(b *testing.B) {
	for b.Loop() {
		l, dead := startTakeover(b)
		killed, before := time.Now(), l.phone.Accepted()
		dead.kill()
		gap := l.waitAccepted(before + 1).Sub(killed)
		l.waitAccepted(before + 20)
		const window = 10
		shortest, texts := time.Hour, l.phone.Texts()
		for i := window; i < len(texts); i++ {
			shortest = min(shortest, texts[i].At.Sub(texts[i-window].At))
		}
		b.ReportMetric(gap.Seconds(), "gap-s")
		b.ReportMetric(shortest.Seconds(), "shortest-10-texts-s")
		b.ReportMetric(0, "ns/op")
	}
}
