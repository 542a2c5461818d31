package automation_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// BenchmarkExecute sends callbacks at a steady rate. It measures from the
// moment each was due until its answer, which is after it was stored. With
// -work, workers in the same process turn them into messages meanwhile.
//
//	go test ./app/automation -run '^$' -bench Execute -benchtime 5000x
func BenchmarkExecute(b *testing.B) {
	for _, c := range []struct {
		name string
		rate int // callbacks a second
		dsn  func(testing.TB, modeltest.Migrate) string
		work bool
	}{
		{"sqlite-200", 200, modeltest.SQLite, false},
		{"sqlite-200-work", 200, modeltest.SQLite, true},
		{"postgres-1000", 1000, modeltest.Postgres, false},
		{"postgres-1000-work", 1000, modeltest.Postgres, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b, c.dsn(b, seed.Migrate))
			calls := make([]crm.Execute, b.N)
			for i := range calls {
				calls[i] = w.call("7")
			}
			if c.work {
				w.runJobs()
			}
			b.ResetTimer()
			took := w.executeAtRate(calls, time.Second/time.Duration(c.rate))
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
			b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
			b.ReportMetric(ms(took[len(took)-1]), "max-ms")
			b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

// executeAtRate executes one callback each interval,
// whether or not those before were answered.
func (w *world) executeAtRate(calls []crm.Execute, every time.Duration) []time.Duration {
	took := make([]time.Duration, len(calls))
	var all sync.WaitGroup
	begun := time.Now()
	for i, e := range calls {
		due := begun.Add(time.Duration(i) * every)
		time.Sleep(time.Until(due))
		all.Go(func() {
			if x, err := w.Execute(ctx, e); err != nil || x.MessageID == "" {
				w.t.Errorf("%s: %+v %v", e.CallbackID, x, err)
			}
			took[i] = time.Since(due)
		})
	}
	all.Wait()
	return took
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
