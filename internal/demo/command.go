package demo

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"dialpad-texting/internal/cli"
	"dialpad-texting/internal/program"
)

// The demo has enough people and deals for a long bulk. The sandbox's sample,
// whose people show every reason for an exclusion, is the first page of each
// list.
const (
	people, samplePeople = 5000, 60
	deals, sampleDeals   = 500, 21
)

// Setup is the demo command.
func Setup(flags *flag.FlagSet) cli.RunFunc {
	var o Options
	flags.StringVar(&o.Dir, "dir", "", "keep the data in this folder (default: a temporary one)")
	flags.StringVar(&o.App, "app", "127.0.0.1:8080", "where the app listens")
	flags.StringVar(&o.CRM, "crm", "127.0.0.1:8090", "where the CRM sandbox listens")
	flags.StringVar(&o.Dialpad, "dialpad", "127.0.0.1:8070", "where the Dialpad sandbox listens")
	flags.StringVar(&o.DatabaseURL, "database", "", "another database (default: an embedded file)")
	flags.StringVar(&o.LogLevel, "log", "warn", "debug, info, warn or error")
	return func(ctx context.Context, p cli.Process) error { return run(ctx, o, p) }
}

func run(ctx context.Context, o Options, p cli.Process) error {
	if o.Dir == "" {
		dir, err := os.MkdirTemp("", "dialpad-texting-demo-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.Dir = dir
	}
	d, err := New(ctx, o, program.NewLog(o.LogLevel, p.Err))
	if err != nil {
		return err
	}
	d.CRMSandbox.Seed(people-samplePeople, deals-sampleDeals)
	_, _ = fmt.Fprintf(p.Out, `Dialpad Texting, the demo. Open the CRM, install Dialpad from its apps, connect, and text somebody.

  CRM sandbox      http://acme.%s/         (Ana is an admin; switch users and plans at the top)
  Dialpad sandbox  %s/phones   (where the texts arrive), %s/admin
  the app itself   %s

Ctrl-C ends it.
`, strings.TrimPrefix(d.CRMURL, "http://"), d.DialpadURL, d.DialpadURL, d.AppURL)
	return d.Run(ctx)
}
