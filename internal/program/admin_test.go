package program

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"dialpad-texting/config"
)

func TestAdminAddressGivesWayOnlyByDefault(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, c := range map[string]struct {
		set, byDefault string
		listens        bool
		problem, log   string
	}{
		"the default":             {byDefault: "127.0.0.1:0", listens: true},
		"a default that is taken": {byDefault: taken.Addr().String(), listens: true, log: "default admin address is taken"},
		"one that is set":         {set: "127.0.0.1:0", byDefault: taken.Addr().String(), listens: true},
		"a set one that is taken": {set: taken.Addr().String(), byDefault: "127.0.0.1:0", problem: "ADMIN_ADDR"},
		"off":                     {set: config.AdminOff, byDefault: "127.0.0.1:0"},
		"a program without one":   {set: "127.0.0.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			p := &Program{cfg: config.Config{AdminAddr: c.set}, log: slog.New(slog.NewTextHandler(&log, nil))}
			l, err := p.listenAdmin(t.Context(), c.byDefault)
			if (err != nil) != (c.problem != "") || err != nil && !strings.Contains(err.Error(), c.problem) {
				t.Fatal(err)
			}
			if (l != nil) != c.listens || !strings.Contains(log.String(), c.log) {
				t.Errorf("listens: %t; log %s", l != nil, log.String())
			}
			if l != nil {
				_ = l.Close()
			}
		})
	}
}
