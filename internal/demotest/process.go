package demotest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demo"
	"dialpad-texting/internal/program"
)

// build builds the program, once per test process.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dialpad-texting-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "dialpad-texting")
	if out, err := exec.Command("go", "build", "-o", path, "dialpad-texting").CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		return "", errors.New(string(out))
	}
	return path, nil
})

var (
	builtMu sync.Mutex
	built   string
)

// Binary returns the path of the program, built for this test process. Main
// removes it.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatalf("building the program: %v", err)
	}
	builtMu.Lock()
	defer builtMu.Unlock()
	built = path
	return path
}

// Main is the TestMain of packages that run the whole program. More of their
// tests run side by side than there are processors: they wait most of the time.
func Main(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = parallel.Value.Set("6") // a number is valid
	}
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(filepath.Dir(built))
	}
	os.Exit(code)
}

// Process is a running process of the program.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	stderr bytes.Buffer
	done   chan struct{}
}

// StartProcess starts the program. It is killed when the test ends.
func StartProcess(t testing.TB, environ []string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, cmd: exec.Command(Binary(t), args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), environ...)
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // Wait reads the exit code
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// Wait waits for the process to end and returns its exit code and what it wrote
// to stderr.
func (p *Process) Wait() (code int, stderr string) {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), p.stderr.String()
	case <-time.After(30 * time.Second):
		p.t.Fatalf("the process does not end: %v", p.cmd.Args)
		return -1, ""
	}
}

// StartSandboxes runs the two sandboxes until the test ends. The app is for the
// caller to start, as processes with the environment that it returns. tune
// changes the Dialpad sandbox's options; nil leaves them.
func StartSandboxes(t testing.TB, dsn string, tune func(*dialpadsandbox.Options)) (d *Demo, environ []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	o := demo.Options{Dir: t.TempDir(), DatabaseURL: dsn, LogLevel: "warn", TuneDialpad: tune}
	sandboxes, err := demo.New(ctx, o, program.NewLog("error", t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	_ = sandboxes.App.Close() // a process listens on this port
	sandboxes.Program.Close()
	var served sync.WaitGroup
	served.Go(func() { _ = sandboxes.ServeSandboxes(ctx) })
	t.Cleanup(func() { cancel(); sandboxes.DialpadSandbox.Close(); served.Wait() })
	return &Demo{Demo: sandboxes, T: t}, sandboxes.Environ()
}
