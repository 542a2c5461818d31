package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/modeltest"
)

// binary builds the program once for the tests that need real processes.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dialpad-texting-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "dialpad-texting")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil && built {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

var built bool

// process is a real process of the program.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	errs strings.Builder
	done chan error
}

func startProcess(t testing.TB, environ []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	built = true
	p := &process{t: t, cmd: exec.Command(path, args...), done: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), environ...)
	p.cmd.Stderr = &p.errs
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// end waits for the process to be over and returns its exit code.
func (p *process) end() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		p.t.Fatalf("the process does not end:\n%s", p.errs.String())
		return -1
	}
}

// outside is the demo's world of which only the sandboxes run here: the app is processes of its own.
func outside(t testing.TB, dsn string, tune func(*dialpadsandbox.Options)) (w *world, environ []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	o := demoOptions{dir: t.TempDir(), app: "127.0.0.1:0", crm: "127.0.0.1:0", phone: "127.0.0.1:0", databaseURL: dsn, logLevel: "warn", tune: tune}
	d, err := newDemo(ctx, o, newLog("error", t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := demoKeys(o.dir)
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() { _ = serveSandbox(ctx, d.crm, d.crmSandbox) })
	served.Go(func() { _ = serveSandbox(ctx, d.phone, d.dialpadSandbox) })
	port := d.app.Addr().String()[strings.LastIndex(d.app.Addr().String(), ":")+1:]
	_ = d.app.Close()
	d.program.close()
	t.Cleanup(func() { cancel(); d.dialpadSandbox.Close(); served.Wait() })
	return &world{demoWorld: d, t: t}, append(d.environ(o, keys), "PORT="+port)
}

func TestProcessesRefuseAnOlderSchema(t *testing.T) {
	dsn := modeltest.Postgres(t, nil)
	_, environ := outside(t, dsn, nil)
	fresh := modeltest.Postgres(t, nil)
	for i, v := range environ {
		if strings.HasPrefix(v, "DATABASE_URL=") {
			environ[i] = "DATABASE_URL=" + fresh
		}
	}
	for _, command := range []string{"serve", "worker"} {
		p := startProcess(t, environ, command)
		if code := p.end(); code == 0 || !strings.Contains(p.errs.String(), "dialpad-texting migrate") {
			t.Errorf("%s on an empty database: exit %d, %s", command, code, p.errs.String())
		}
	}
	if p := startProcess(t, environ, "migrate"); p.end() != 0 {
		t.Fatalf("migrate: %s", p.errs.String())
	}
	p := startProcess(t, environ, "worker")
	time.AfterFunc(time.Second, func() { _ = p.cmd.Process.Signal(syscall.SIGTERM) })
	if code := p.end(); code != 0 {
		t.Errorf("a worker that was told to stop: exit %d, %s", code, p.errs.String())
	}
}

func TestAKilledWorkerLosesNobodyAndTextsNobodyTwice(t *testing.T) {
	w, environ := outside(t, modeltest.Postgres(t, nil), nil)
	web := startProcess(t, environ, "serve")
	killed := startProcess(t, environ, "worker")
	w.until("the app answers", func() bool { return w.ready() })
	w.crmSandbox.Seed(150, 0)
	w.fast(w.connected())
	w.dialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.Slow, Path: "/api/v2/sms", Delay: 30 * time.Millisecond})
	id, count, err := w.crmSandbox.Select("acme", "42", "contact", "")
	w.must(err)
	p := w.popup("42", crm.Ctx{Mode: "bulk", Module: "contact", Selection: id, Count: count})
	batch := "/embed/api/batches/" + p.post("/embed/api/batches", map[string]any{"message": "Hello"}, "Idempotency-Key", "bulk").text("batch.id")
	w.until("some gone", func() bool { return w.dialpadSandbox.Accepted() > 10 })
	w.must(killed.cmd.Process.Kill())
	startProcess(t, environ, "worker")
	var b answer
	w.until("the rest gone", func() bool {
		b = p.get(batch)
		return b.text("batch.state") == "done" && b.at("batch.counts.sent") == 0.0
	})
	if twice := w.dialpadSandbox.TextedTwice(); len(twice) != 0 {
		t.Errorf("texted twice: %v", twice)
	}
	uncertain, delivered := b.at("batch.counts.uncertain").(float64), b.at("batch.counts.delivered").(float64)
	if sum(b) != b.at("batch.counts.total") || delivered > float64(w.dialpadSandbox.Accepted()) || delivered+uncertain < float64(w.dialpadSandbox.Accepted()) {
		t.Errorf("%d were texted; %s", w.dialpadSandbox.Accepted(), b.body)
	}
	w.must(web.cmd.Process.Signal(syscall.SIGTERM))
	if code := web.end(); code != 0 {
		t.Errorf("serve ended with %d: %s", code, web.errs.String())
	}
}
