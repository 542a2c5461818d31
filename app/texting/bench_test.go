package texting_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// benches runs a benchmark on both databases, with so many people in the CRM.
func benches(b *testing.B, people int, f func(b *testing.B, w *world)) {
	for name, open := range map[string]func(testing.TB, modeltest.Migrate) string{"sqlite": modeltest.SQLite, "postgres": modeltest.Postgres} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b, seed.Migrate))
			w.host.Seed(people-60, 0)
			f(b, w)
		})
	}
}

// peak measures how much the heap grows over what it is now; the CRM sandbox, which is in this process too, holds its
// people before and answers in pages meanwhile.
func peak(do func()) (mb float64) {
	stop, done := make(chan bool), make(chan uint64)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	go func() {
		var most uint64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				done <- most
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	}()
	do()
	close(stop)
	return float64(max(<-done, before)-before) / (1 << 20)
}

func BenchmarkPrepare100k(b *testing.B) {
	benches(b, 100_000, func(b *testing.B, w *world) {
		for b.Loop() {
			v := w.create(w.all("ana", crm.ModuleContact, ""), fmt.Sprint(time.Now().UnixNano()), says(hi))
			begun := time.Now()
			grew := peak(func() {
				if _, err := w.Prepare(ctx, "t_9", v.ID); err != nil {
					b.Fatal(err)
				}
			})
			b.ReportMetric(float64(100_000)/time.Since(begun).Seconds(), "people/s")
			b.ReportMetric(grew, "peak-MB")
			if v = w.view(v.ID); v.Counts.Total != 100_000 || v.Counts.Queued != 99_991 || v.Counts.Skipped != 9 {
				b.Fatalf("%+v", v.Counts)
			}
			w.noNumberTwice(v.ID)
		}
	})
}

func (w *world) noNumberTwice(batch string) {
	w.t.Helper()
	seen := map[string]bool{}
	for after := ""; ; {
		list, err := w.db.Messages.List(ctx, "t_9", batch, []string{ledger.Queued}, after, 10_000)
		must(w.t, err)
		for _, m := range list {
			if seen[m.ToNumber] {
				w.t.Fatal("a number is queued twice")
			}
			seen[m.ToNumber], after = true, m.ID
		}
		if len(list) < 10_000 {
			return
		}
	}
}

func BenchmarkPreview10k(b *testing.B) {
	benches(b, 10_000, func(b *testing.B, w *world) {
		a := w.all("ana", crm.ModuleContact, "")
		var first, all time.Duration
		n := 0
		for b.Loop() {
			n++
			begun, r := time.Now(), texting.PreviewRequest{Message: hi}
			for {
				v, err := w.Preview(ctx, a, r)
				must(b, err)
				if r.Cursor == "" {
					first += time.Since(begun)
				}
				if v.Complete {
					if v.Total != 10_000 || v.WillReceive != 9_991 {
						b.Fatalf("%d of %d", v.WillReceive, v.Total)
					}
					break
				}
				r.Cursor = *v.Next
			}
			all += time.Since(begun)
		}
		b.ReportMetric(float64(first.Milliseconds())/float64(n), "first-ms")
		b.ReportMetric(float64(all.Milliseconds())/float64(n), "all-ms")
	})
}

func BenchmarkReport100k(b *testing.B) {
	benches(b, 60, func(b *testing.B, w *world) {
		w.acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 100_000)
		for b.Loop() {
			lines, begun := lineCounter(0), time.Now()
			grew := peak(func() {
				if err := w.Report(ctx, w.page("ana"), "b1", "", &lines); err != nil {
					b.Fatal(err)
				}
			})
			b.ReportMetric(100_000/time.Since(begun).Seconds(), "texts/s")
			b.ReportMetric(grew, "peak-MB")
			if lines != 100_001 {
				b.Fatalf("%d lines", lines)
			}
		}
	})
}

// lineCounter is a reader that keeps nothing.
type lineCounter int

func (n *lineCounter) Write(p []byte) (int, error) {
	*n += lineCounter(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}
