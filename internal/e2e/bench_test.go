package e2e

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
	"dialpad-texting/models"
	"dialpad-texting/models/database"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// BenchmarkBulk100k sends a bulk to a CRM selection of 100,000 people
// (BULK_PEOPLE: another number), without limits, by processes of the program:
// from the POST until the outbox says done, and until the last of Dialpad's
// three events a text is applied and the CRM's timeline knows the last state.
// Both sandboxes run in this process.
func BenchmarkBulk100k(b *testing.B) {
	people := 100_000
	if n, err := strconv.Atoi(os.Getenv("BULK_PEOPLE")); err == nil {
		people = n
	}
	for _, c := range []struct {
		name     string
		open     func(testing.TB, modeltest.Migrate) string
		commands []string
	}{{"sqlite", modeltest.SQLite, []string{"serve"}}, {"postgres", modeltest.Postgres, []string{"serve", "worker"}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				dsn := c.open(b, nil)
				d, environ := demotest.StartSandboxes(b, dsn, func(o *dialpadsandbox.Options) { o.TextsPerMinute, o.RequestsPerSecond, o.CountOnly = -1, -1, true })
				var running []*demotest.Process
				for _, command := range c.commands {
					running = append(running, demotest.StartProcess(b, environ, command))
				}
				d.Until("the app is ready", d.Ready)
				d.CRMSandbox.Seed(people-60, 0) // 60 are there already
				d.Connect()
				removeLimit(d, dsn)
				spent := cpuSeconds(b, running)
				sendBulk(b, d, dsn, people)
				for i, p := range running {
					b.ReportMetric((cpuSeconds(b, running)[i]-spent[i])*1000/float64(people), c.commands[i]+"-cpu-ms/text")
					b.ReportMetric(modeltest.PeakMB(b, p.PID()), c.commands[i]+"-peak-MB")
				}
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// removeLimit stores settings without a rate, which the API does not take.
func removeLimit(d *demotest.Demo, dsn string) {
	d.T.Helper()
	store, err := models.Open(context.Background(), dsn, models.Options{Vault: seed.Vault()})
	d.Must(err)
	d.Must(store.Tenants.SaveSettings(context.Background(), "t_9", models.Settings{Country: "US"}))
	d.Must(store.Close())
}

// sendBulk texts everybody and reports the rate; each count of the outbox must
// be exact.
func sendBulk(b *testing.B, d *demotest.Demo, dsn string, people int) {
	b.Helper()
	p, _ := d.BulkPopup("42", crm.ModuleContact)
	began := time.Now()
	a, batch := p.CreateBatch(fmt.Sprint("bulk", began.UnixNano()), map[string]any{"message": "Hello"})
	for deadline := began.Add(15 * time.Minute); a.Text("batch.state") != "done"; time.Sleep(time.Second) { // a popup asks less often
		if a = p.Get(batch); time.Now().After(deadline) {
			b.Fatalf("not done after 15 minutes: %s", a.Body)
		}
	}
	accepted := float64(d.DialpadSandbox.Accepted())
	b.ReportMetric(accepted/time.Since(began).Seconds(), "texts/s")
	untilTold(b, dsn, began.Add(15*time.Minute))
	b.ReportMetric(accepted/time.Since(began).Seconds(), "texts-in-all/s")
	a = p.Get(batch)
	gone := a.At("batch.counts.sent").(float64) + a.At("batch.counts.delivered").(float64)
	if a.SumOfCounts() != float64(people) || a.At("batch.counts.total") != float64(people) || gone != accepted {
		b.Errorf("%.0f were texted; %s", accepted, a.Body)
	}
	if twice := d.DialpadSandbox.TextedTwice(); len(twice) != 0 {
		b.Errorf("texted twice: %v", twice)
	}
}

// untilTold waits until no event is pending and the timeline is up to date.
func untilTold(b *testing.B, dsn string, deadline time.Time) {
	b.Helper()
	db, err := database.Open(context.Background(), dsn, database.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for open := true; open; time.Sleep(100 * time.Millisecond) {
		err := db.Gorm(context.Background()).Raw(`SELECT EXISTS (SELECT 1 FROM incoming_events)
			OR EXISTS (SELECT 1 FROM webhook_events WHERE state = 'pending')
			OR EXISTS (SELECT 1 FROM messages WHERE timeline_pending)`).Scan(&open).Error
		if err != nil || time.Now().After(deadline) {
			b.Fatalf("events or messages are open, %v", err)
		}
	}
}

// cpuSeconds returns the processor time of each process so far.
func cpuSeconds(b *testing.B, running []*demotest.Process) []float64 {
	b.Helper()
	out := make([]float64, len(running))
	for i, p := range running {
		out[i] = modeltest.CPUTime(b, p.PID()).Seconds()
	}
	return out
}
