// Package demotest runs the demo for tests, over real HTTP and on free ports,
// and uses the app as the CRM's pages and a browser do. Its processes are the
// program's own binary.
package demotest

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demo"
	"dialpad-texting/internal/program"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/static"
	"dialpad-texting/static/openapitest"
)

// ConnectMessage is what people read where Dialpad is not connected, to the
// letter.
const ConnectMessage = "You need an active DialPad connection to use this feature. Click here to connect."

// Demo is the program with both sandboxes. Its methods fail T.
type Demo struct {
	*demo.Demo
	T testing.TB
}

// Start runs the demo on the database at dsn until the test ends. The test
// fails where a response of the app is not as its OpenAPI document says, and
// where the program does not stop cleanly.
func Start(t testing.TB, dsn string) *Demo {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	running, err := demo.New(ctx, demo.Options{Dir: t.TempDir(), DatabaseURL: dsn}, program.NewLog("error", t.Output()))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	running.Program.Handler = openapitest.Check(t, static.OpenAPI(), running.Program.Handler)
	done := make(chan error, 1)
	go func() { done <- running.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the program did not stop cleanly: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the program did not stop")
		}
	})
	d := &Demo{Demo: running, T: t}
	d.Until("the app is ready", d.Ready)
	return d
}

// EachDatabase runs a test on SQLite and on Postgres, side by side.
func EachDatabase(t *testing.T, test func(d *Demo)) {
	t.Helper()
	modeltest.Each(t, nil, func(t *testing.T, dsn string) { test(Start(t, dsn)) })
}

// Ready reports whether the app says that its database, schema and worker are
// there.
func (d *Demo) Ready() bool {
	r, err := http.Get(d.AppURL + "/readyz")
	if err != nil {
		return false
	}
	defer func() { _ = r.Body.Close() }()
	var body struct{ Checks map[string]string }
	return json.NewDecoder(r.Body).Decode(&body) == nil && r.StatusCode == http.StatusOK && body.Checks["worker"] == "ok"
}

// Must ends the test on an error.
func (d *Demo) Must(err error) {
	d.T.Helper()
	if err != nil {
		d.T.Fatal(err)
	}
}

// Until waits for a condition, for a minute at most.
func (d *Demo) Until(what string, ok func() bool) {
	d.T.Helper()
	deadline := time.After(time.Minute)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-deadline:
			d.T.Fatalf("never: %s", what)
		case <-poll.C:
		}
	}
}

// Connect installs the app for Acme and connects its Dialpad. Texts go out at
// any hour, so that tests do not depend on the time of day.
func (d *Demo) Connect() *Page {
	d.T.Helper()
	p := d.AppPage("acme", "42")
	if a := p.Post("/apps/dialpad/install", nil); a.Status != http.StatusCreated {
		d.T.Fatalf("install: %d %s", a.Status, a.Body)
	}
	v := d.ConnectWindow()
	status, body := v.Consent(p.Post("/apps/dialpad/connect", nil).Text("url"), dialpadsandbox.AnaID)
	if status != http.StatusOK {
		d.T.Fatalf("callback: %d %s", status, body)
	}
	if r := v.Confirm(body); r.StatusCode != http.StatusOK {
		d.T.Fatalf("confirm: %d %s", r.StatusCode, Read(r))
	}
	d.Until("connected", func() bool { return p.Get("/apps/dialpad/status").At("connected") == true })
	p.SaveSettings(map[string]any{"quiet_hours": nil, "keep_laws": false})
	return p
}

// RaiseLimits lets texts go out as fast as the settings allow. p is an admin's
// app page.
func (d *Demo) RaiseLimits(p *Page) {
	d.T.Helper()
	d.DialpadSandbox.SetTextsPerMinute(dialpadsandbox.AcmeID, 0)
	p.SaveRate(800)
}
