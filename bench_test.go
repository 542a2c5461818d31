package main

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// BenchmarkBulk100k sends a bulk to 100,000 people of a CRM's selection, at no limit, by the program's real processes:
// from the POST until the outbox says that it is done, while Dialpad tells of each text three times. Both sandboxes, which
// hold the people and the texts, are in this process.
func BenchmarkBulk100k(b *testing.B) {
	const people = 100_000
	for _, c := range []struct {
		name     string
		open     func(testing.TB, modeltest.Migrate) string
		commands []string
	}{{"sqlite", modeltest.SQLite, []string{"serve"}}, {"postgres", modeltest.Postgres, []string{"serve", "worker"}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				dsn := c.open(b, nil)
				w, environ := outside(b, dsn, func(o *dialpadsandbox.Options) { o.TextsPerMinute, o.RequestsPerSecond, o.CountOnly = -1, -1, true })
				var running []*process
				for _, command := range c.commands {
					running = append(running, startProcess(b, environ, command))
				}
				w.until("the app answers", w.ready)
				w.crmSandbox.Seed(people-60, 0) // 60 are there already
				w.connected()
				w.unlimited(dsn)
				w.bulk(b, people)
				for i, p := range running {
					b.ReportMetric(modeltest.PeakMB(b, p.cmd.Process.Pid), c.commands[i]+"-peak-MB")
				}
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// unlimited takes the tenant's limit away, which its own settings don't allow.
func (w *world) unlimited(dsn string) {
	w.t.Helper()
	store, err := models.Open(context.Background(), dsn, models.Options{Vault: seed.Vault()})
	w.must(err)
	w.must(store.Tenants.SaveSettings(context.Background(), "t_9", models.Settings{Country: "US"}))
	w.must(store.Close())
}

// bulk texts everybody and reports the time; each count of the outbox must be exact.
func (w *world) bulk(b *testing.B, people int) {
	b.Helper()
	id, count, err := w.crmSandbox.Select("acme", "42", crm.ModuleContact, "")
	w.must(err)
	p := w.popup("42", crm.Ctx{Mode: "bulk", Module: crm.ModuleContact, Selection: id, Count: count})
	began := time.Now()
	a := p.post("/embed/api/batches", map[string]any{"message": "Hello"}, "Idempotency-Key", fmt.Sprint("bulk", began.UnixNano()))
	if a.status != http.StatusAccepted {
		b.Fatalf("asking for the bulk: %d %s", a.status, a.body)
	}
	batch := "/embed/api/batches/" + a.text("batch.id")
	for deadline := began.Add(15 * time.Minute); a.text("batch.state") != "done"; time.Sleep(time.Second) { // a popup asks less often
		if a = p.get(batch); time.Now().After(deadline) {
			b.Fatalf("not done after 15 minutes: %s", a.body)
		}
	}
	b.ReportMetric(float64(w.dialpadSandbox.Accepted())/time.Since(began).Seconds(), "texts/s")
	gone := a.at("batch.counts.sent").(float64) + a.at("batch.counts.delivered").(float64)
	if sum(a) != float64(people) || a.at("batch.counts.total") != float64(people) || gone != float64(w.dialpadSandbox.Accepted()) {
		b.Errorf("%d were texted; %s", w.dialpadSandbox.Accepted(), a.body)
	}
	if twice := w.dialpadSandbox.TextedTwice(); len(twice) != 0 {
		b.Errorf("texted twice: %v", twice)
	}
}
