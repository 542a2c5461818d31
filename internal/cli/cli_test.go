package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// sample is a program of which "greet" has a flag.
func sample() Program {
	return Program{Name: "sample", Commands: []Command{
		{Name: "greet", Summary: "says hello", Setup: func(flags *flag.FlagSet) RunFunc {
			whom := flags.String("whom", "world", "who is greeted")
			return func(_ context.Context, p Process) error {
				_, err := p.Out.Write([]byte("hello " + *whom))
				return err
			}
		}},
		{Name: "fail", Summary: "fails", Setup: NoFlags(func(context.Context, Process) error { return errors.New("no luck") })},
		{Name: "wait", Summary: "waits", Setup: NoFlags(func(context.Context, Process) error { return context.Canceled })},
	}}
}

func TestRun(t *testing.T) {
	t.Parallel()
	const usage = "usage: sample <command>"
	for _, c := range []struct {
		name, args string
		code       int
		out, err   string // what must be there; "" is nothing at all
	}{
		{"a command", "greet", 0, "hello world", ""},
		{"a command with a flag", "greet -whom Ana", 0, "hello Ana", ""},
		{"a command that fails", "fail", 1, "", "sample: no luck"},
		{"a command that was stopped", "wait", 0, "", ""},
		{"help", "help", 0, usage, ""},
		{"-h", "-h", 0, usage, ""},
		{"--help", "--help", 0, usage, ""},
		{"help of a command", "help greet", 0, "who is greeted", ""},
		{"-h of a command", "greet -h", 0, "who is greeted", ""},
		{"--help of a command without flags", "fail --help", 0, "usage: sample fail", ""},
		{"version", "version", 0, "sample ", ""},
		{"-version", "-version", 0, runtime.Version(), ""},
		{"--version", "--version", 0, runtime.Version(), ""},
		{"no command", "", 2, "", usage},
		{"an unknown command", "grete", 2, "", `unknown command "grete"`},
		{"an unknown command, usage", "grete", 2, "", usage},
		{"an unknown flag", "greet -who Ana", 2, "", "who is greeted"},
		{"an argument nobody takes", "greet Ana", 2, "", `unexpected argument "Ana"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out, errOut bytes.Buffer
			code := sample().Run(t.Context(), strings.Fields(c.args), Process{Out: &out, Err: &errOut})
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			wantOutput(t, "stdout", out.String(), c.out)
			wantOutput(t, "stderr", errOut.String(), c.err)
		})
	}
}

func wantOutput(t *testing.T, stream, got, want string) {
	t.Helper()
	if want == "" && got != "" || !strings.Contains(got, want) {
		t.Errorf("%s is %q, want %q in it", stream, got, want)
	}
}

func TestVersionNamesTheCommit(t *testing.T) {
	t.Parallel()
	got := describe(&debug.BuildInfo{GoVersion: "go1.26.0", Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc123"}, {Key: "vcs.time", Value: "2026-11-30T08:00:00Z"}, {Key: "vcs.modified", Value: "true"}}})
	if want := "(devel); commit abc123 of 2026-11-30T08:00:00Z, modified; go1.26.0 "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
