package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
)

func TestBulkFromDealsDeliversToEachPersonOnce(t *testing.T) {
	t.Parallel()
	demotest.EachDatabase(t, func(d *demotest.Demo) {
		d.CRMSandbox.SetNumberIDs(true)
		d.CRMSandbox.Seed(27, 27)
		d.RaiseLimits(d.Connect())
		p, count := d.BulkPopup("42", "deal")
		message := "Hi {{Contact.firstName}}, about {{Deal.title}}"
		preview := p.Post("/embed/api/preview", map[string]any{"to_field": "mobile", "message": message})
		if preview.At("total") != float64(count) || preview.At("complete") != true {
			t.Fatalf("preview: %s", preview.Body)
		}
		codes := map[string]bool{}
		for _, e := range preview.At("excluded").([]any) {
			codes[e.(map[string]any)["code"].(string)] = true
		}
		if len(codes) < 3 {
			t.Errorf("exclusions of %d kinds: %v", len(codes), codes)
		}
		a := p.Post("/embed/api/batches", map[string]any{"to_field": "mobile", "message": message}, "Idempotency-Key", "bulk")
		if a.Status != http.StatusAccepted {
			t.Fatalf("send: %d %s", a.Status, a.Body)
		}
		batch := "/embed/api/batches/" + a.Text("batch.id")
		var b demotest.Answer
		d.Until("done and delivered", func() bool {
			b = p.Get(batch)
			if b.SumOfCounts() != b.At("batch.counts.total") {
				t.Errorf("the counts do not add up: %s", b.Body)
			}
			return b.Text("batch.state") == "done" && b.At("batch.counts.delivered") == preview.At("will_receive")
		})
		if b.At("batch.counts.skipped") != float64(len(preview.At("excluded").([]any))) || len(d.DialpadSandbox.TextedTwice()) != 0 {
			t.Errorf("at the end: %s", b.Body)
		}
		texts := d.DialpadSandbox.Texts()
		if !slices.ContainsFunc(texts, func(x dialpadsandbox.Text) bool { return strings.HasPrefix(x.Text, "Hi Marta, about Harbor") }) {
			t.Error("no personal text on the phones")
		}
		report := p.Do(http.MethodGet, batch+"/messages", nil, "Accept", "text/csv")
		if !strings.HasPrefix(report.Body, "\ufeffName,") || strings.Count(report.Body, "\r\n") < count {
			t.Errorf("report: %.200s", report.Body)
		}
	})
}

func TestBulkIsPausedResumedAndCancelled(t *testing.T) {
	t.Parallel()
	demotest.EachDatabase(t, func(d *demotest.Demo) {
		d.CRMSandbox.Seed(940, 0) // with the sample people: 1,000
		d.RaiseLimits(d.Connect())
		p, _ := d.BulkPopup("42", "contact")
		batch := "/embed/api/batches/" + p.Post("/embed/api/batches", map[string]any{"message": "Hello"}, "Idempotency-Key", "bulk").Text("batch.id")
		d.Until("some gone", func() bool { return d.DialpadSandbox.Accepted() > 1 })
		if a := p.Post(batch+"/pause", nil); a.Text("batch.state") != "paused" {
			t.Fatalf("pause: %s", a.Body)
		}
		d.Until("nothing on the wire", func() bool { return p.Get(batch).At("batch.counts.sending") == 0.0 })
		gone := d.DialpadSandbox.Accepted()
		if a := p.Post(batch+"/resume", nil); a.Status != http.StatusOK {
			t.Fatalf("resume: %s", a.Body)
		}
		d.Until("more gone", func() bool { return d.DialpadSandbox.Accepted() > gone })
		if a := p.Post(batch+"/cancel", nil); a.Text("batch.state") != "cancelled" {
			t.Fatalf("cancel: %s", a.Body)
		}
		d.Until("all settled", func() bool {
			b := p.Get(batch)
			return b.At("batch.counts.queued") == 0.0 && b.At("batch.counts.sending") == 0.0 && b.At("batch.counts.held") == 0.0 && b.SumOfCounts() == b.At("batch.counts.total")
		})
		if b := p.Get(batch); b.At("batch.counts.cancelled").(float64) == 0 || len(d.DialpadSandbox.TextedTwice()) != 0 {
			t.Errorf("at the end: %s", b.Body)
		}
	})
}
