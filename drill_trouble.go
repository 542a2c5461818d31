package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
)

const (
	// drillLease is a lane's lease: who is paused longer has lost it.
	drillLease  = 12 * time.Second
	drillNoMore = 45 * time.Second // a trouble comes even when nothing is texted for so long
)

// drillProcess is one process of the program, started again whenever it ends.
type drillProcess struct {
	name    string
	mu      sync.Mutex
	cmd     *exec.Cmd
	over    atomic.Bool
	stopped chan struct{}
}

func (f *drillField) startCrew(ctx context.Context) error {
	command, n := "serve", 1
	if f.postgres() {
		command, n = "worker", 3
	}
	keys, err := demoKeys(f.o.dir)
	if err != nil {
		return err
	}
	addr := f.app.Addr().String()
	environ := append(f.environ(demoOptions{dir: f.o.dir, databaseURL: f.o.database, logLevel: "info"}, keys), "PORT="+addr[strings.LastIndex(addr, ":")+1:])
	for i := range n {
		p := &drillProcess{name: fmt.Sprint(command, " ", i+1), stopped: make(chan struct{})}
		log, err := os.OpenFile(filepath.Join(f.o.dir, fmt.Sprint(command, "-", i+1, ".log")), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		f.crew = append(f.crew, p)
		go func() {
			defer close(p.stopped)
			defer func() { _ = log.Close() }()
			p.keep(ctx, f.o.program, command, environ, log)
		}()
	}
	return nil
}

// keep runs the process until it is told to stop, and again after each death.
func (p *drillProcess) keep(ctx context.Context, program, command string, environ []string, log *os.File) {
	for ctx.Err() == nil && !p.over.Load() {
		cmd := exec.CommandContext(ctx, program, command)
		cmd.Env, cmd.Stderr = environ, log
		p.mu.Lock()
		err := cmd.Start()
		p.cmd = cmd
		p.mu.Unlock()
		if err == nil {
			_ = cmd.Wait() // killed is how it is meant to end
		}
		until(ctx, 200*time.Millisecond, p.over.Load)
	}
}

func (p *drillProcess) signal(s os.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(s) // it may have died by itself
	}
}

// stopCrew ends the processes as a deployment does, so that they write down what they know.
func (f *drillField) stopCrew() {
	for _, p := range f.crew {
		p.over.Store(true)
		p.signal(syscall.SIGCONT)
		p.signal(syscall.SIGTERM)
	}
	for _, p := range f.crew {
		<-p.stopped
	}
}

// troubles is how many interruptions there are: after each kill another kind.
func (f *drillField) troubles() int { return 2 * f.o.kills }

// trouble interrupts the bulk again and again, spread over its texts.
func (f *drillField) trouble(ctx context.Context) error {
	f.misbehave()
	for i := range f.troubles() {
		due := f.requested * (2*i + 1) / (2 * (f.troubles() + 1))
		until(ctx, drillNoMore, func() bool { return f.dialpadSandbox.Accepted() >= due })
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case i%2 == 0:
			f.kill(i % 10 / 8 * len(f.crew)) // each fifth time all of them
		case i%4 == 1:
			f.pause(ctx)
		default:
			if err := f.cut(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *drillField) kill(all int) {
	victims := []*drillProcess{f.crew[f.rand.IntN(len(f.crew))]}
	if all > 0 {
		victims = f.crew
	}
	for _, p := range victims {
		f.say("kill -9 %s", p.name)
		p.signal(syscall.SIGKILL)
	}
}

// pause stops a process past its lease and wakes it: its texts on the wire have been given up by then.
func (f *drillField) pause(ctx context.Context) {
	p := f.crew[f.rand.IntN(len(f.crew))]
	f.say("SIGSTOP %s", p.name)
	p.signal(syscall.SIGSTOP)
	until(ctx, drillLease+2*time.Second+time.Duration(f.rand.IntN(2000))*time.Millisecond, func() bool { return false })
	p.signal(syscall.SIGCONT)
	f.say("SIGCONT %s", p.name)
}

// cut ends all connections to Postgres a few times, or keeps others from writing to SQLite for longer than they wait.
func (f *drillField) cut(ctx context.Context) error {
	if !f.postgres() {
		f.say("the database is locked for 11 s")
		return f.program.store.Tx(ctx, func(*models.Store) error {
			until(ctx, 11*time.Second, func() bool { return false })
			return nil
		})
	}
	conn, err := pgx.Connect(ctx, f.o.database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	f.say("all connections to the database are cut, three times")
	for range 3 {
		if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			return err
		}
		until(ctx, time.Duration(50+f.rand.IntN(300))*time.Millisecond, func() bool { return false })
	}
	return nil
}

// misbehave lets Dialpad accept and not answer, hang up, refuse, be slow, and tell its events twice and in disorder.
func (f *drillField) misbehave() {
	const sms = "/api/v2/sms"
	for _, fault := range []dialpadsandbox.Fault{
		{Kind: dialpadsandbox.Slow, Path: sms, Delay: 50 * time.Millisecond},
		{Kind: dialpadsandbox.TooManyRequests, Path: sms, Every: f.o.texts / 3, Times: 2, RetryAfter: time.Second},
		{Kind: dialpadsandbox.UnavailableRetryAfter, Path: sms, Every: 307, RetryAfter: time.Second},
		{Kind: dialpadsandbox.ErrorBeforeAccepting, Path: sms, Every: 151},
		{Kind: dialpadsandbox.DropBeforeReading, Path: sms, Every: 149},
		{Kind: dialpadsandbox.DropAfterAccepting, Path: sms, Every: 97},
		{Kind: dialpadsandbox.ErrorAfterAccepting, Path: sms, Every: 131},
		{Kind: dialpadsandbox.ResetMidResponse, Path: sms, Every: 173},
		{Kind: dialpadsandbox.TimeoutAfterAccepting, Path: sms, Every: 211, Delay: 3 * time.Second},
		{Kind: dialpadsandbox.EventsDuplicated, Every: 5},
		{Kind: dialpadsandbox.EventsReordered, Every: 7},
		{Kind: dialpadsandbox.EventBeforeAnswer, Path: sms, Every: 11},
	} {
		f.dialpadSandbox.Fault(fault)
	}
}
