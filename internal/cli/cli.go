// Package cli runs the commands of a program: it picks the command, parses its
// flags, and answers help and version.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // the command line is wrong
)

// Process is what a command gets of its process.
type Process struct {
	Environ  []string // "KEY=value"
	Out, Err io.Writer
}

// RunFunc runs a command until it is done or ctx ends.
type RunFunc func(ctx context.Context, p Process) error

// Command is one command of a program.
type Command struct {
	Name    string
	Summary string // one line, for the usage text
	// Setup registers the command's flags and returns what runs once they are
	// parsed.
	Setup func(flags *flag.FlagSet) RunFunc
}

// NoFlags is the Setup of a command without flags.
func NoFlags(run RunFunc) func(*flag.FlagSet) RunFunc {
	return func(*flag.FlagSet) RunFunc { return run }
}

// Program is a set of commands under one name.
type Program struct {
	Name     string
	Commands []Command
}

// Run runs the command that args[0] names and returns the exit code of the
// process. Help and version go to p.Out, errors to p.Err. A command that ends
// because ctx does has not failed.
func (g Program) Run(ctx context.Context, args []string, p Process) int {
	if len(args) == 0 {
		return g.refuse(p, "no command given")
	}
	name, args := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		return g.help(ctx, args, p)
	case "version", "-version", "--version":
		_, _ = fmt.Fprintln(p.Out, g.Name, version())
		return exitOK
	}
	command, ok := g.find(name)
	if !ok {
		return g.refuse(p, fmt.Sprintf("unknown command %q", name))
	}
	return g.run(ctx, command, args, p)
}

func (g Program) run(ctx context.Context, command Command, args []string, p Process) int {
	flags := flag.NewFlagSet(command.Name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error is printed below, once
	run := command.Setup(flags)
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		g.commandUsage(p.Out, command, flags)
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(p.Err, "%s %s: %v\n\n", g.Name, command.Name, err)
		g.commandUsage(p.Err, command, flags)
		return exitUsage
	}
	if err := run(ctx, p); err != nil && !errors.Is(err, context.Canceled) {
		_, _ = fmt.Fprintf(p.Err, "%s: %v\n", g.Name, err)
		return exitFailed
	}
	return exitOK
}

// help prints the usage of the program or, for "help COMMAND", of that command.
func (g Program) help(ctx context.Context, args []string, p Process) int {
	if len(args) > 0 {
		if command, ok := g.find(args[0]); ok {
			return g.run(ctx, command, []string{"-h"}, p)
		}
	}
	g.usage(p.Out)
	return exitOK
}

func (g Program) refuse(p Process, problem string) int {
	_, _ = fmt.Fprintf(p.Err, "%s: %s\n\n", g.Name, problem)
	g.usage(p.Err)
	return exitUsage
}

func (g Program) find(name string) (Command, bool) {
	i := slices.IndexFunc(g.Commands, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return g.Commands[i], true
}

func (g Program) usage(w io.Writer) {
	_, _ = fmt.Fprintf(w, "usage: %s <command> [flags]\n\n", g.Name)
	for _, c := range g.Commands {
		_, _ = fmt.Fprintf(w, "  %-9s %s\n", c.Name, c.Summary)
	}
	_, _ = fmt.Fprintf(w, "  %-9s %s\n", "version", "prints the version")
	_, _ = fmt.Fprintf(w, "\n\"%s <command> -h\" shows a command's flags.\n", g.Name)
}

func (g Program) commandUsage(w io.Writer, c Command, flags *flag.FlagSet) {
	_, _ = fmt.Fprintf(w, "usage: %s %s [flags]\n\n%s\n", g.Name, c.Name, c.Summary)
	some := false
	flags.VisitAll(func(*flag.Flag) { some = true })
	if some {
		_, _ = fmt.Fprint(w, "\nflags:\n")
		flags.SetOutput(w)
		flags.PrintDefaults()
	}
}
