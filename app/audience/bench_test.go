package audience_test

import (
	"fmt"
	"testing"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

func BenchmarkPrepare100k(b *testing.B) {
	Benchmark(b, 100_000, func(b *testing.B, w *World) {
		for b.Loop() {
			v := w.MustCreate(w.Selection("ana", crm.ModuleContact, ""), fmt.Sprint(time.Now().UnixNano()), Text(Hi))
			begun := time.Now()
			grew := HeapGrowth(func() {
				if _, err := w.Prepare(Ctx, "t_9", v.ID); err != nil {
					b.Fatal(err)
				}
			})
			b.ReportMetric(float64(100_000)/time.Since(begun).Seconds(), "people/s")
			b.ReportMetric(grew, "peak-MB")
			if v = w.MustView(v.ID); v.Counts.Total != 100_000 || v.Counts.Queued != 99_991 || v.Counts.Skipped != 9 {
				b.Fatalf("%+v", v.Counts)
			}
			noNumberTwice(w, v.ID)
		}
	})
}

func noNumberTwice(w *World, batch string) {
	w.T.Helper()
	seen := map[string]bool{}
	for after := ""; ; {
		list, err := w.DB.Messages.List(Ctx, "t_9", batch, []string{ledger.Queued}, after, 10_000)
		Must(w.T, err)
		for _, m := range list {
			if seen[m.ToNumber] {
				w.T.Fatal("a number is queued twice")
			}
			seen[m.ToNumber], after = true, m.ID
		}
		if len(list) < 10_000 {
			return
		}
	}
}

func BenchmarkPreview10k(b *testing.B) {
	Benchmark(b, 10_000, func(b *testing.B, w *World) {
		a := w.Selection("ana", crm.ModuleContact, "")
		var first, all time.Duration
		n := 0
		for b.Loop() {
			n++
			begun, r := time.Now(), audience.PreviewRequest{Message: Hi}
			for {
				v, err := w.Preview(Ctx, a, r)
				Must(b, err)
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
