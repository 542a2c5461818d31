package apptest

import (
	"runtime"
	"testing"
	"time"

	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// Benchmark runs a benchmark on both databases, with so many people in
// the CRM.
func Benchmark(b *testing.B, people int, f func(b *testing.B, w *World)) {
	for name, open := range map[string]func(testing.TB, modeltest.Migrate) string{"sqlite": modeltest.SQLite, "postgres": modeltest.Postgres} {
		b.Run(name, func(b *testing.B) {
			w := New(b, open(b, seed.Migrate))
			w.Host.Seed(people-60, 0)
			f(b, w)
		})
	}
}

// HeapGrowth measures how much the heap grows meanwhile, at peak. The
// CRM sandbox, which is in this process too, has its people already.
func HeapGrowth(do func()) (mb float64) {
	stop, done := make(chan bool), make(chan uint64)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	go func() {
		var peak uint64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				done <- peak
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
		}
	}()
	do()
	close(stop)
	return float64(max(<-done, before)-before) / (1 << 20)
}
