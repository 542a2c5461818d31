package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
	"dialpad-texting/models/modeltest"
)

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// operator reads a process's admin address.
type operator struct {
	t       *testing.T
	address string
}

func (o operator) get(path string) (status int, body string) {
	o.t.Helper()
	r, err := http.Get("http://" + o.address + path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// metric returns the value of a metric, and whether there is one.
func (o operator) metric(name string) (float64, bool) {
	o.t.Helper()
	_, text := o.get("/metrics")
	line := regexp.MustCompile(`(?m)^dialpad_texting_` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(text)
	if line == nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(line[1], 64)
	if err != nil {
		o.t.Fatal(err)
	}
	return v, true
}

func (o operator) is(name string, want float64) bool {
	o.t.Helper()
	got, ok := o.metric(name)
	return ok && got == want
}

// TestOperatorsSeeWhatAWorkerDoes has a bulk whose first text Dialpad never
// answers, and reads serve's and worker's own addresses.
func TestOperatorsSeeWhatAWorkerDoes(t *testing.T) {
	t.Parallel()
	d, environ := demotest.StartSandboxes(t, modeltest.Postgres(t, nil), nil)
	web, worker := operator{t, freeAddress(t)}, operator{t, freeAddress(t)}
	demotest.StartProcess(t, append(environ, "ADMIN_ADDR="+web.address), "serve")
	demotest.StartProcess(t, append(environ, "ADMIN_ADDR="+worker.address), "worker")
	d.Until("the app is ready", d.Ready)
	d.RaiseLimits(d.Connect())
	d.DialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.TimeoutAfterAccepting, Path: "/api/v2/sms", Times: 1})
	p, _ := d.BulkPopup("42", "contact")
	_, batch := p.CreateBatch("bulk", map[string]any{"message": "Hello"})
	var total float64
	d.Until("all but one are delivered", func() bool {
		b := p.Get(batch)
		total = b.At("batch.counts.total").(float64) - b.At("batch.counts.skipped").(float64)
		return total > 1 && b.At("batch.counts.delivered") == total-1
	})
	d.Until("the worker says so", func() bool {
		return worker.is(`texts_total{outcome="sent"}`, total-1) && worker.is(`requests_open`, 1) && worker.is("lanes_due", 0) &&
			worker.is(`events_pending{kind="delivery"}`, 0) && worker.is("timeline_pending", 0) && worker.is("workers", 1)
	})
	if v, ok := worker.metric("requests_oldest_seconds"); !ok || v <= 0 {
		t.Errorf("the oldest request is %v s old", v)
	}
	d.Until("its connection's place is given to others", func() bool { return worker.is("requests_hung", 1) })
	for _, name := range []string{`call_duration_seconds_count{call="sms",outcome="ok",service="dialpad"}`,
		`call_duration_seconds_count{call="activity.upsert",outcome="ok",service="crm"}`, `database_connections{state="max"}`} {
		if v, ok := worker.metric(name); !ok || v <= 0 {
			t.Errorf("%s is %v", name, v)
		}
	}
	for _, o := range []operator{web, worker} {
		for path, want := range map[string]string{"/healthz": `"alive":true`, "/readyz": `"worker":"ok"`, "/debug/pprof/": "goroutine", "/debug/pprof/heap?debug=1": "heap profile"} {
			if status, body := o.get(path); status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %d %.200s", path, status, body)
			}
		}
	}
	if !web.is("workers", 1) || !strings.Contains(fmt.Sprint(web.get("/metrics")), `dialpad_texting_http_requests_total{method="POST",route="/embed/api/batches"`) {
		t.Error("serve has no metrics of its own")
	}
}

// TestOnlyOneProcessHasASetAdminAddress starts a worker where another one
// listens already.
func TestOnlyOneProcessHasASetAdminAddress(t *testing.T) {
	t.Parallel()
	_, environ := demotest.StartSandboxes(t, modeltest.Postgres(t, nil), nil)
	demotest.StartProcess(t, environ, "migrate").Wait()
	o := operator{t, freeAddress(t)}
	environ = append(environ, "ADMIN_ADDR="+o.address)
	demotest.StartProcess(t, environ, "worker")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if r, err := http.Get("http://" + o.address + "/healthz"); err == nil {
			_ = r.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the first worker does not listen")
		}
	}
	if code, stderr := demotest.StartProcess(t, environ, "worker").Wait(); code == 0 || !strings.Contains(stderr, "ADMIN_ADDR") {
		t.Errorf("the second worker: exit %d, %s", code, stderr)
	}
}
