package main

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
)

// drillOptions say how hard the drill is.
type drillOptions struct {
	texts, kills  int
	database, dir string
	seed          uint64
	patience      time.Duration // for events, once nothing is queued: what a dead worker had begun to process is rescued after a minute
	program       string        // the binary whose workers are killed
}

// errPromiseBroken says that somebody was texted twice, or lost.
var errPromiseBroken = errors.New("a promise broke: somebody was texted twice or lost without a word")

// drill sends a bulk through real processes while it kills and pauses them, cuts their database and lets Dialpad
// misbehave; then it compares what the ledger says with what the sandbox saw.
func drill(ctx context.Context, args, _ []string, out, errOut io.Writer) error {
	var o drillOptions
	flags := flag.NewFlagSet("drill", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.IntVar(&o.texts, "texts", 2000, "people to text")
	flags.IntVar(&o.kills, "kills", 6, "how often a process is killed with -9; in between, some are paused past their lease, and the database is cut")
	flags.StringVar(&o.database, "database", "", "postgres://…: an empty database, three workers (default: an embedded file, one process)")
	flags.Uint64Var(&o.seed, "seed", rand.Uint64(), "repeats a drill's choices")
	flags.DurationVar(&o.patience, "patience", 2*time.Minute, "how long to wait for events once nothing is queued")
	flags.StringVar(&o.dir, "dir", "", "keep the processes' logs and the database file in this folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if o.program, err = os.Executable(); err != nil {
		return err
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "dialpad-texting-drill-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(o.dir) }()
	}
	_, err = runDrill(ctx, o, out)
	return err
}

// drillField is the world of a drill: both sandboxes and, on Postgres, the web door here; what works, in processes.
type drillField struct {
	*demoWorld
	o         drillOptions
	out       io.Writer
	rand      *rand.Rand
	began     time.Time
	batchID   string
	requested int
	crew      []*drillProcess
}

func runDrill(ctx context.Context, o drillOptions, out io.Writer) (drillTally, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &drillField{o: o, out: out, rand: rand.New(rand.NewPCG(o.seed, 1)), began: time.Now()}
	var err error
	if f.demoWorld, err = newDemo(ctx, demoOptions{dir: o.dir, app: "127.0.0.1:0", crm: "127.0.0.1:0", phone: "127.0.0.1:0",
		databaseURL: o.database, logLevel: "warn", tune: func(p *dialpadsandbox.Options) {
			p.TextsPerMinute, p.RequestsPerSecond, p.CountOnly = -1, -1, true
			p.EventDelay, p.RetryScale = 50*time.Millisecond, 0.05 // an event that found nobody comes again after 1.5 s
		}}, newLog("error", io.Discard)); err != nil {
		return drillTally{}, err
	}
	defer f.program.close()
	defer f.dialpadSandbox.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serveSandbox(ctx, f.crm, f.crmSandbox) })
	g.Go(func() error { return serveSandbox(ctx, f.phone, f.dialpadSandbox) })
	if f.postgres() {
		g.Go(func() error { return f.program.run(ctx, parts{web: true, listener: f.app}) })
	} else if err := f.app.Close(); err != nil { // the process takes the port over
		return drillTally{}, err
	}
	var tally drillTally
	g.Go(func() error {
		defer cancel()
		var err error
		tally, err = f.drill(ctx)
		return err
	})
	if err = g.Wait(); err == nil && tally.broken() {
		err = errPromiseBroken
	}
	return tally, err
}

func (f *drillField) postgres() bool { return f.o.database != "" }

func (f *drillField) drill(ctx context.Context) (drillTally, error) {
	if err := f.connect(ctx); err != nil {
		return drillTally{}, fmt.Errorf("connect: %w", err)
	}
	if err := f.startCrew(ctx); err != nil {
		return drillTally{}, err
	}
	defer f.stopCrew()
	if err := f.ask(ctx); err != nil {
		return drillTally{}, fmt.Errorf("ask for the texts: %w", err)
	}
	if err := f.trouble(ctx); err != nil {
		return drillTally{}, err
	}
	f.dialpadSandbox.ClearFaults()
	f.say("the troubles are over; waiting for what is left")
	if err := f.calm(ctx); err != nil {
		return drillTally{}, err
	}
	f.stopCrew()
	tally, err := f.count(ctx)
	if err == nil {
		tally.print(f.out, f.o, time.Since(f.began))
	}
	return tally, err
}

func (f *drillField) say(format string, args ...any) {
	_, _ = fmt.Fprintf(f.out, "%6.1fs  %6d texted  %s\n", time.Since(f.began).Seconds(), f.dialpadSandbox.Accepted(), fmt.Sprintf(format, args...))
}

// until waits for a condition; false when it does not come true in time.
func until(ctx context.Context, within time.Duration, ok func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
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
