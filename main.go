// Command dialpad-texting lets a CRM's people text through their company's
// Dialpad. "dialpad-texting help" lists its commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"dialpad-texting/internal/cli"
	"dialpad-texting/internal/demo"
	"dialpad-texting/internal/drill"
	"dialpad-texting/internal/program"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := commands.Run(ctx, os.Args[1:], cli.Process{Environ: os.Environ(), Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}

var commands = cli.Program{Name: "dialpad-texting", Commands: []cli.Command{
	{Name: "demo", Summary: "the app, a Dialpad sandbox and a CRM sandbox on one machine, nothing to configure", Setup: demo.Setup},
	{Name: "serve", Summary: "web; with an embedded database also the worker", Setup: cli.NoFlags(program.Serve)},
	{Name: "worker", Summary: "background work; any number of replicas on Postgres", Setup: cli.NoFlags(program.Worker)},
	{Name: "migrate", Summary: "applies migrations; worker, and serve on Postgres, refuse to start on an older schema", Setup: cli.NoFlags(program.Migrate)},
	{Name: "drill", Summary: "kills workers while they text sandboxes, and counts who was texted twice or lost", Setup: drill.Setup},
}}
