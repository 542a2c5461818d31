//go:build !race

// The program's own races are for e2e_test.go to find, which makes the same calls.

package main

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

	"dialpad-texting/integrations/browsertest"
)

// person sits at a browser that blocks third-party cookies.
type person struct {
	t     *testing.T
	w     *world
	root  *view // the first tab
	axe   string
	shots string

	mu         sync.Mutex
	complaints []string // what the console holds against our pages
	seen       map[target.ID]bool
}

// view is a tab, or a frame of another site, which Chromium runs as a target of its own.
type view struct {
	p   *person
	ctx context.Context
}

// sitDown opens a browser on the world. Without Chromium the test is skipped, except where CI=true.
func sitDown(t *testing.T, w *world) *person {
	t.Helper()
	p := &person{t: t, w: w, seen: map[target.ID]bool{}, axe: axe(t), shots: folder(t)}
	ctx := browsertest.Open(t, chromedp.WithListener(p.hear))
	p.root = &view{p, ctx}
	t.Cleanup(func() {
		if t.Failed() {
			_ = os.WriteFile(filepath.Join(p.shots, "failed.png"), p.root.picture(), 0o600)
			t.Logf("pictures: %s", p.shots)
		}
	})
	return p
}

// axe is the script of axe-core, which ./test installs; "" where it is not there.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("AXE_PATH")
	if path == "" {
		path = filepath.Join(".cache", "axe", "node_modules", "axe-core", "axe.min.js")
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

// folder is where pictures go: BROWSER_SHOTS, else one that stays only when the test fails.
func folder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("BROWSER_SHOTS"); dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	dir, err := os.MkdirTemp("", "dialpad-texting-shots-")
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

// hear collects exceptions, and what the browser says of policies. A refusal's 4xx is an answer, no complaint.
func (p *person) hear(event any) {
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
		p.mu.Lock()
		p.complaints = append(p.complaints, said)
		p.mu.Unlock()
	}
}

func (p *person) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, said := range p.complaints {
		p.t.Errorf("the console says: %s", said)
	}
	p.complaints = nil
}

// attach finds the newest tab or frame of that kind ("page", "iframe") at an address, and drives it.
func (p *person) attach(kind, address string) *view {
	p.t.Helper()
	var id target.ID
	p.w.until("there is a "+kind+" at "+address, func() bool {
		list, err := chromedp.Targets(p.root.ctx)
		p.w.must(err)
		for _, info := range list {
			if info.Type == kind && !p.seen[info.TargetID] && strings.HasPrefix(info.URL, address) {
				id = info.TargetID
				return true
			}
		}
		return false
	})
	p.seen[id] = true
	ctx, cancel := chromedp.NewContext(p.root.ctx, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel(), chromedp.WithListener(p.hear))
	p.t.Cleanup(cancel)
	p.w.must(chromedp.Do(ctx))
	return &view{p, ctx}
}

func (v *view) do(steps ...chromedp.Action[chromedp.Void]) {
	v.p.t.Helper()
	browsertest.Do(v.p.t, v.ctx, steps...)
}

func (v *view) visit(address string) { v.p.t.Helper(); v.do(chromedp.Navigate(address)) }

func (v *view) until(expression string) { v.p.t.Helper(); browsertest.Until(v.p.t, v.ctx, expression) }

func (v *view) press(selector string) { v.p.t.Helper(); browsertest.Press(v.p.t, v.ctx, selector) }

func (v *view) write(selector, text string) {
	v.p.t.Helper()
	browsertest.Write(v.p.t, v.ctx, selector, text)
}

// pressText presses the first button, link or option with these words.
func (v *view) pressText(words string) {
	v.p.t.Helper()
	v.until(fmt.Sprintf(`(() => {
		document.querySelector("[data-test-this]")?.removeAttribute("data-test-this");
		const all = [...document.querySelectorAll("button, a, [role=option], [role=menuitem], summary")];
		const e = all.find((one) => one.checkVisibility() && one.innerText.trim() === %q);
		e?.setAttribute("data-test-this", "");
		return e;
	})()`, words))
	v.press("[data-test-this]")
}

func (v *view) says(words string) {
	v.p.t.Helper()
	v.until("document.body.innerText.includes(" + browsertest.Quoted(words) + ")")
}

func (v *view) picture() []byte {
	ctx, cancel := context.WithTimeout(v.ctx, browsertest.Patience)
	defer cancel()
	shot, _ := chromedp.Call(ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{})
	return shot.Data
}

func call[P, R any](v *view, command cdp.Command[P, R], params P) R {
	v.p.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, browsertest.Patience)
	defer cancel()
	answer, err := chromedp.Call(ctx, command, params)
	v.p.w.must(err)
	return answer
}
