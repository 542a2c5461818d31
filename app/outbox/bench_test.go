package outbox_test

import (
	"bytes"
	"testing"
	"time"

	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

func BenchmarkReport100k(b *testing.B) {
	Benchmark(b, 60, func(b *testing.B, w *World) {
		w.Tenant.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 100_000)
		for b.Loop() {
			lines, begun := lineCounter(0), time.Now()
			grew := HeapGrowth(func() {
				if err := w.Report(Ctx, w.Page("ana"), "b1", "", &lines); err != nil {
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
