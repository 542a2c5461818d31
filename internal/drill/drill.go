// Package drill proves that nobody is texted twice or lost when processes die:
// it kills, pauses and cuts real processes while they text sandboxes, then
// compares the ledger with what the sandbox accepted.
package drill

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/cli"
	"dialpad-texting/internal/demo"
	"dialpad-texting/internal/program"
)

// Options say how hard the drill is.
type Options struct {
	Texts    int    // people to text
	Kills    int    // how often a process is killed; as often it is paused, or the database is cut
	Database string // "postgres://…" of an empty database for three workers; "" is an embedded file and one process
	Dir      string // keeps the processes' logs and the embedded database
	Seed     uint64 // repeats a drill's choices
	Program  string // path of the binary whose processes are killed
	// EventTimeout is how long to wait for events once nothing is queued. A
	// River job that a dead worker had begun is rescued after a minute.
	EventTimeout time.Duration
}

// errPromiseBroken says that somebody was texted twice, or lost.
var errPromiseBroken = errors.New("somebody was texted twice, or lost without a word")

// Setup is the drill command.
func Setup(flags *flag.FlagSet) cli.RunFunc {
	var o Options
	flags.IntVar(&o.Texts, "texts", 2000, "people to text")
	flags.IntVar(&o.Kills, "kills", 6, "how often a process is killed with -9; in between, some are paused past their lease, and the database is cut")
	flags.StringVar(&o.Database, "database", "", "postgres://…: an empty database, three workers (default: an embedded file, one process)")
	flags.Uint64Var(&o.Seed, "seed", rand.Uint64(), "repeats a drill's choices") //nolint:gosec // no secret
	flags.DurationVar(&o.EventTimeout, "patience", 2*time.Minute, "how long to wait for events once nothing is queued")
	flags.StringVar(&o.Dir, "dir", "", "keep the processes' logs and the database file in this folder")
	return func(ctx context.Context, p cli.Process) (err error) {
		if o.Program, err = os.Executable(); err != nil {
			return err
		}
		if o.Dir == "" {
			if o.Dir, err = os.MkdirTemp("", "dialpad-texting-drill-"); err != nil {
				return err
			}
			defer func() { _ = os.RemoveAll(o.Dir) }()
		}
		_, err = Run(ctx, o, p.Out)
		return err
	}
}

// run is one drill. The sandboxes run here, and on Postgres the web server too;
// the workers are processes.
type run struct {
	*demo.Demo
	o         Options
	out       io.Writer
	rand      *rand.Rand
	began     time.Time
	batchID   string
	requested int // recipients of the batch
	processes []*process
}

// Run runs a drill and prints its progress and tally to out. It fails where
// somebody was texted twice or lost.
func Run(ctx context.Context, o Options, out io.Writer) (Tally, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &run{o: o, out: out, rand: rand.New(rand.NewPCG(o.Seed, 1)), began: time.Now()} //nolint:gosec // repeatable on purpose
	var err error
	r.Demo, err = demo.New(ctx, demo.Options{Dir: o.Dir, DatabaseURL: o.Database, LogLevel: "info", TuneDialpad: tune}, program.NewLog("error", io.Discard))
	if err != nil {
		return Tally{}, err
	}
	defer r.Program.Close()
	defer r.DialpadSandbox.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.ServeSandboxes(ctx) })
	if r.postgres() {
		g.Go(func() error { return r.Program.Run(ctx, program.Parts{Web: true, Listener: r.App}) })
	} else if err := r.App.Close(); err != nil { // the process listens on this port
		return Tally{}, err
	}
	var tally Tally
	g.Go(func() error {
		defer cancel()
		var err error
		tally, err = r.drill(ctx)
		return err
	})
	if err = g.Wait(); err == nil && tally.broken() {
		err = errPromiseBroken
	}
	return tally, err
}

// tune takes the limits away. An event that no process took comes again after
// 1.5 s.
func tune(o *dialpadsandbox.Options) {
	o.TextsPerMinute, o.RequestsPerSecond, o.CountOnly, o.KeepPosts = -1, -1, true, true
	o.EventDelay, o.RetryScale = 50*time.Millisecond, 0.05
}

func (r *run) postgres() bool { return r.o.Database != "" }

func (r *run) drill(ctx context.Context) (Tally, error) {
	if err := r.connect(ctx); err != nil {
		return Tally{}, fmt.Errorf("connect: %w", err)
	}
	if err := r.startProcesses(ctx); err != nil {
		return Tally{}, err
	}
	defer r.stopProcesses()
	if err := r.createBulk(ctx); err != nil {
		return Tally{}, fmt.Errorf("create the bulk: %w", err)
	}
	if err := r.interrupt(ctx); err != nil {
		return Tally{}, err
	}
	r.DialpadSandbox.ClearFaults()
	r.logf("no more interruptions; waiting for what is left")
	if err := r.waitSettled(ctx); err != nil {
		return Tally{}, err
	}
	r.stopProcesses()
	tally, err := r.count(ctx)
	if err == nil {
		tally.print(r.out, r.o, time.Since(r.began))
	}
	return tally, err
}

func (r *run) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, "%6.1fs  %6d texted  %s\n", time.Since(r.began).Seconds(), r.DialpadSandbox.Accepted(), fmt.Sprintf(format, args...))
}

// waitFor polls a condition; false when it is not true in time.
func waitFor(ctx context.Context, timeout time.Duration, ok func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
		}
	}
	return true
}
