package e2e

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
	"dialpad-texting/models/modeltest"
)

func TestProcessesRefuseAnOlderSchema(t *testing.T) {
	t.Parallel()
	_, environ := demotest.StartSandboxes(t, modeltest.Postgres(t, nil), nil)
	environ = append(environ, "DATABASE_URL="+modeltest.Postgres(t, nil)) // an empty one; the last value counts
	for _, command := range []string{"serve", "worker"} {
		code, stderr := demotest.StartProcess(t, environ, command).Wait()
		if code == 0 || !strings.Contains(stderr, "dialpad-texting migrate") {
			t.Errorf("%s on an empty database: exit %d, %s", command, code, stderr)
		}
	}
	if code, stderr := demotest.StartProcess(t, environ, "migrate").Wait(); code != 0 {
		t.Fatalf("migrate: exit %d, %s", code, stderr)
	}
}

func TestProcessesStopCleanlyOnSIGTERM(t *testing.T) {
	t.Parallel()
	d, environ := demotest.StartSandboxes(t, modeltest.Postgres(t, nil), nil)
	processes := map[string]*demotest.Process{}
	for _, command := range []string{"serve", "worker"} {
		processes[command] = demotest.StartProcess(t, environ, command)
	}
	d.Until("both run", d.Ready) // ready needs a worker that was seen
	for command, p := range processes {
		p.Signal(syscall.SIGTERM)
		if code, stderr := p.Wait(); code != 0 {
			t.Errorf("%s: exit %d, %s", command, code, stderr)
		}
	}
}

func TestKilledWorkerLosesNobodyAndTextsNobodyTwice(t *testing.T) {
	t.Parallel()
	d, environ := demotest.StartSandboxes(t, modeltest.Postgres(t, nil), nil)
	demotest.StartProcess(t, environ, "serve")
	killed := demotest.StartProcess(t, environ, "worker")
	d.Until("the app is ready", d.Ready)
	d.RaiseLimits(d.Connect())
	d.DialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.Slow, Path: "/api/v2/sms", Delay: 30 * time.Millisecond})
	p, _ := d.BulkPopup("42", "contact")
	_, batch := p.CreateBatch("bulk", map[string]any{"message": "Hello"})
	d.Until("some texts are sent", func() bool { return d.DialpadSandbox.Accepted() > 10 })
	killed.Signal(os.Kill)
	demotest.StartProcess(t, environ, "worker")
	var b demotest.Answer
	d.Until("the batch is done", func() bool {
		b = p.Get(batch)
		return b.Status == http.StatusOK && b.Text("batch.state") == "done" && b.At("batch.counts.sent") == 0.0
	})
	if twice := d.DialpadSandbox.TextedTwice(); len(twice) != 0 {
		t.Errorf("texted twice: %v", twice)
	}
	accepted := float64(d.DialpadSandbox.Accepted())
	uncertain, delivered := b.At("batch.counts.uncertain").(float64), b.At("batch.counts.delivered").(float64)
	if b.SumOfCounts() != b.At("batch.counts.total") || delivered > accepted || delivered+uncertain < accepted {
		t.Errorf("%.0f were accepted; %s", accepted, b.Body)
	}
}
