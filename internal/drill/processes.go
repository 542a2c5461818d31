package drill

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// process is one process of the program, started again whenever it ends.
type process struct {
	name     string
	mu       sync.Mutex
	cmd      *exec.Cmd
	stopping atomic.Bool
	stopped  chan struct{}
}

func (r *run) startProcesses(ctx context.Context) error {
	command, n := "serve", 1
	if r.postgres() {
		command, n = "worker", 3
	}
	environ := r.Environ()
	for i := range n {
		p := &process{name: fmt.Sprint(command, " ", i+1), stopped: make(chan struct{})}
		log, err := os.OpenFile(filepath.Join(r.o.Dir, fmt.Sprint(command, "-", i+1, ".log")), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		r.processes = append(r.processes, p)
		go func() {
			defer close(p.stopped)
			defer func() { _ = log.Close() }()
			p.keep(ctx, r.o.Program, command, environ, log)
		}()
	}
	return nil
}

// keep runs the process until it is stopped, and again after each death.
func (p *process) keep(ctx context.Context, program, command string, environ []string, log *os.File) {
	for ctx.Err() == nil && !p.stopping.Load() {
		cmd := exec.CommandContext(ctx, program, command)
		cmd.Env, cmd.Stderr = environ, log
		p.mu.Lock()
		err := cmd.Start()
		p.cmd = cmd
		p.mu.Unlock()
		if err == nil {
			_ = cmd.Wait() // it is killed on purpose
		}
		waitFor(ctx, 200*time.Millisecond, p.stopping.Load)
	}
}

func (p *process) signal(s os.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(s) // it may have died by itself
	}
}

// stopProcesses ends the processes as a deployment does, so that they store the
// answers they have.
func (r *run) stopProcesses() {
	for _, p := range r.processes {
		p.stopping.Store(true)
		p.signal(syscall.SIGCONT)
		p.signal(syscall.SIGTERM)
	}
	for _, p := range r.processes {
		<-p.stopped
	}
}
