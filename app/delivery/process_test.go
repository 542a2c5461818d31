package delivery_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

// An engine in a process of its own can be killed, and its CPU and memory can
// be measured. The test binary starts itself again with these variables.
const (
	childDatabase = "DELIVERY_CHILD_DATABASE"
	childDialpad  = "DELIVERY_CHILD_DIALPAD"
	childName     = "DELIVERY_CHILD_NAME"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childDatabase); dsn != "" {
		if err := childEngine(dsn, os.Getenv(childDialpad), os.Getenv(childName)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// childEngine runs an engine as the program's
// worker does, until it is told to stop.
func childEngine(dsn, dialpadURL, name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	debug.SetGCPercent(200) // as the program's worker
	debug.SetMemoryLimit(48 << 20)
	store, err := models.Open(ctx, dsn, models.Options{Vault: seed.Vault()})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	phone := dialpad.New(dialpad.Config{BaseURL: dialpadURL, ClientID: "id", ClientSecret: "secret", RedirectURL: redirect})
	eligible := eligibility.New(store, eligibility.Config{Plans: []string{"business"}})
	tokens := connection.NewTokens(store, phone, connection.Config{Log: log})
	people := accounts.New(store, phone, tokens, nil, time.Now, log)
	e := delivery.New(store, phone, eligible, tokens, people, delivery.Config{WorkerID: name, Connections: connections, Log: log})
	if err := e.Run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

const connections = 64

// child is a running engine in a process of its own.
type child struct {
	t    testing.TB
	cmd  *exec.Cmd
	errs bytes.Buffer
	done chan struct{}
}

func startChild(t testing.TB, dsn, dialpadURL, name string) *child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: exec.Command(program), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), childDatabase+"="+dsn, childDialpad+"="+dialpadURL, childName+"="+name)
	c.cmd.Stderr = &c.errs
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.cmd.Wait(); close(c.done) }()
	t.Cleanup(c.kill)
	return c
}

// stop ends the engine cleanly: it hands its lanes back.
func (c *child) stop() {
	c.t.Helper()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	<-c.done
	if !c.cmd.ProcessState.Success() || c.errs.Len() > 0 {
		c.t.Errorf("an engine ended with %v: %s", c.cmd.ProcessState, c.errs.String())
	}
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// cpu returns the CPU time it has used since it began.
func (c *child) cpu() time.Duration { return cpuOf(c.t, c.cmd.Process.Pid) }

// cpuOf returns a process's CPU time.
func cpuOf(t testing.TB, pid int) time.Duration {
	t.Helper()
	own, _ := ticks(t, pid)
	return own
}

// ticks returns a process's own CPU time (proc(5), fields 14 and 15, in
// hundredths of a second) and that of its children that have ended (16 and 17).
func ticks(t testing.TB, pid int) (own, ended time.Duration) {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0 // it ended just now
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	field := strings.Fields(rest)
	sum := func(names ...int) (d time.Duration) {
		for _, n := range names {
			v, err := strconv.Atoi(field[n-3])
			if err != nil {
				t.Fatal(err)
			}
			d += time.Duration(v) * 10 * time.Millisecond
		}
		return d
	}
	return sum(14, 15), sum(16, 17)
}
