//go:build !race

package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"dialpad-texting/internal/browsertest"
	"dialpad-texting/internal/demotest"
)

// browser is Chromium that blocks third-party cookies, on a demo of its own.
type browser struct {
	t     *testing.T
	d     *demotest.Demo
	root  *view // the first tab
	axe   string
	shots string

	mu         sync.Mutex
	complaints []string // exceptions and policy errors that the console shows
	seen       map[target.ID]bool
}

// view is a tab, or a frame of another site, which Chromium runs as a target of
// its own.
type view struct {
	b   *browser
	ctx context.Context
}

// openBrowser opens a browser on the demo. Without Chromium the test is
// skipped, except where CI=true.
func openBrowser(t *testing.T, d *demotest.Demo) *browser {
	t.Helper()
	b := &browser{t: t, d: d, seen: map[target.ID]bool{}, axe: axe(t), shots: screenshotDir(t)}
	ctx := browsertest.Open(t, chromedp.WithListener(b.collectConsole))
	b.root = &view{b, ctx}
	t.Cleanup(func() {
		if t.Failed() {
			_ = os.WriteFile(filepath.Join(b.shots, "failed.png"), b.root.picture(), 0o600)
			t.Logf("pictures: %s", b.shots)
		}
	})
	return b
}

// axe is the script of axe-core, which ./test installs; "" where it is not
// there.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("AXE_PATH")
	if path == "" {
		path = filepath.Join("..", "..", ".cache", "axe", "node_modules", "axe-core", "axe.min.js")
	}
	script, err := os.ReadFile(path)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("axe-core is missing: %v", err)
		}
		t.Logf("no accessibility checks: %v", err)
	}
	return string(script)
}

// folder is where pictures go: BROWSER_SHOTS, else one that stays only when the
// test fails.
func screenshotDir(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("BROWSER_SHOTS"); dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	dir, err := os.MkdirTemp("", "dialpad-texting-shots-") //nolint:usetesting // it outlives a failed test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	})
	return dir
}

// collectConsole collects exceptions and policy errors. A 4xx answer is no
// error here.
func (b *browser) collectConsole(event any) {
	said := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		said = e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			said += " " + x.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork && (e.Entry.Level == log.EntryLevelError || strings.Contains(e.Entry.Text, "Content Security Policy")) {
			said = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if said != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, said)
		b.mu.Unlock()
	}
}

// wantCleanConsole fails where the console shows an exception or a policy
// error.
func (b *browser) wantCleanConsole() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, said := range b.complaints {
		b.t.Errorf("the console shows: %s", said)
	}
	b.complaints = nil
}

// attach finds the newest tab or frame of that kind ("page", "iframe") at an
// address, and drives it.
func (b *browser) attach(kind, address string) *view {
	b.t.Helper()
	var id target.ID
	b.d.Until("there is a "+kind+" at "+address, func() bool {
		list, err := chromedp.Targets(b.root.ctx)
		b.d.Must(err)
		for _, info := range list {
			if info.Type == kind && !b.seen[info.TargetID] && strings.HasPrefix(info.URL, address) {
				id = info.TargetID
				return true
			}
		}
		return false
	})
	b.seen[id] = true
	ctx, cancel := chromedp.NewContext(b.root.ctx, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel(), chromedp.WithListener(b.collectConsole))
	b.t.Cleanup(cancel)
	b.d.Must(chromedp.Do(ctx))
	return &view{b, ctx}
}

func (v *view) do(steps ...chromedp.Action[chromedp.Void]) {
	v.b.t.Helper()
	browsertest.Do(v.b.t, v.ctx, steps...)
}

func (v *view) visit(address string) { v.b.t.Helper(); v.do(chromedp.Navigate(address)) }

func (v *view) until(expression string) { v.b.t.Helper(); browsertest.Until(v.b.t, v.ctx, expression) }

func (v *view) press(selector string) { v.b.t.Helper(); browsertest.Press(v.b.t, v.ctx, selector) }

func (v *view) write(selector, text string) {
	v.b.t.Helper()
	browsertest.Write(v.b.t, v.ctx, selector, text)
}

// pressText presses the first button, link or option with these words.
func (v *view) pressText(words string) {
	v.b.t.Helper()
	browsertest.PressFound(v.b.t, v.ctx, fmt.Sprintf(`
		[...document.querySelectorAll("button, a, [role=option], [role=menuitem], summary")].find(
			(one) => one.checkVisibility() && one.innerText.trim() === %s)`, browsertest.Quoted(words)))
}

func (v *view) waitText(words string) {
	v.b.t.Helper()
	v.until("document.body.innerText.includes(" + browsertest.Quoted(words) + ")")
}

func (v *view) picture() []byte {
	ctx, cancel := context.WithTimeout(v.ctx, browsertest.Timeout)
	defer cancel()
	shot, _ := chromedp.Call(ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{})
	return shot.Data
}

func call[P, R any](v *view, command cdp.Command[P, R], params P) R {
	v.b.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, browsertest.Timeout)
	defer cancel()
	answer, err := chromedp.Call(ctx, command, params)
	v.b.d.Must(err)
	return answer
}
