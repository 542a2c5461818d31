package program

import (
	"context"
	"errors"
	"fmt"

	"dialpad-texting/config"
	"dialpad-texting/internal/cli"
)

// Serve runs the web server, and the worker too where the database is
// embedded.
func Serve(ctx context.Context, process cli.Process) error {
	p, err := load(ctx, process)
	if err != nil {
		return err
	}
	defer p.Close()
	if p.Store.Embedded() { // no other process uses the database: migrate it here
		if err := p.Store.Migrate(ctx); err != nil {
			return err
		}
	}
	return p.Run(ctx, Parts{Web: true, Work: p.Store.Embedded(), Admin: "127.0.0.1:9090", Environ: process.Environ})
}

// Worker runs the background work. It refuses an embedded database, which
// Serve works on alone.
func Worker(ctx context.Context, process cli.Process) error {
	p, err := load(ctx, process)
	if err != nil {
		return err
	}
	defer p.Close()
	if p.Store.Embedded() {
		return errors.New("an embedded database has one process: run `serve`, which does the work too")
	}
	return p.Run(ctx, Parts{Work: true, Admin: "127.0.0.1:9091", Environ: process.Environ})
}

// Migrate applies the migrations and reports it on the process's output.
func Migrate(ctx context.Context, process cli.Process) error {
	p, err := load(ctx, process)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.Store.Migrate(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintln(process.Out, "the schema is current")
	return err
}

func load(ctx context.Context, process cli.Process) (*Program, error) {
	cfg, err := config.Load(process.Environ)
	if err != nil {
		return nil, err
	}
	log := NewLog(cfg.LogLevel, process.Err)
	for _, w := range cfg.Warnings() {
		log.WarnContext(ctx, "setting for development on a public address", "setting", w.Setting, "problem", w.Problem)
	}
	return Build(ctx, cfg, log)
}
