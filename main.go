// Command dialpad-texting lets a CRM's people text through their company's Dialpad.
//
//	dialpad-texting demo     everything on one machine, nothing to configure
//	dialpad-texting serve    web; with an embedded database also the worker
//	dialpad-texting worker   background work; any number of replicas on Postgres
//	dialpad-texting migrate  applies migrations
//	dialpad-texting drill    kills workers while they text, and counts who was texted twice or lost
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"dialpad-texting/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "dialpad-texting:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

const usage = `usage: dialpad-texting <command>

  demo      the app, a Dialpad sandbox and a CRM sandbox on one machine, nothing to configure
  serve     web; with an embedded database also the worker
  worker    background work; any number of replicas on Postgres
  migrate   applies migrations; serve and worker refuse to start on an older schema
  drill     kills workers while they text sandboxes, and counts who was texted twice or lost
`

func run(ctx context.Context, args, environ []string, out, errOut io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("a command is needed\n\n%s", usage)
	}
	commands := map[string]func(context.Context, []string, []string, io.Writer, io.Writer) error{
		"demo": demo, "serve": serve, "worker": worker, "migrate": migrate, "drill": drill,
	}
	command, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("there is no command %q\n\n%s", args[0], usage)
	}
	return command(ctx, args[1:], environ, out, errOut)
}

func serve(ctx context.Context, _, environ []string, _, errOut io.Writer) error {
	p, err := start(ctx, environ, errOut)
	if err != nil {
		return err
	}
	defer p.close()
	if p.store.Embedded() { // one process is all there is: its schema is its own business
		if err := p.store.Migrate(ctx); err != nil {
			return err
		}
	}
	return p.run(ctx, parts{web: true, work: p.store.Embedded(), environ: environ})
}

func worker(ctx context.Context, _, environ []string, _, errOut io.Writer) error {
	p, err := start(ctx, environ, errOut)
	if err != nil {
		return err
	}
	defer p.close()
	if p.store.Embedded() {
		return errors.New("an embedded database has one process: run `serve`, which does the work too")
	}
	return p.run(ctx, parts{work: true, environ: environ})
}

func migrate(ctx context.Context, _, environ []string, out, errOut io.Writer) error {
	p, err := start(ctx, environ, errOut)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.store.Migrate(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "the schema is current")
	return err
}

func start(ctx context.Context, environ []string, errOut io.Writer) (*program, error) {
	cfg, err := config.Load(environ)
	if err != nil {
		return nil, err
	}
	return build(ctx, cfg, newLog(cfg.LogLevel, errOut))
}
