// Package browsertest opens Chromium for a test and uses its pages as a person
// does.
//
// Tests that use it are named …InABrowser and not built with the race detector
// (//go:build !race): chromedp (v0.23.0) reads a frame's nodes in domEvent
// while attaching to that frame still writes them in documentUpdated.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Timeout is how long any step may take.
const Timeout = 30 * time.Second

// Open opens a browser that blocks third-party cookies; it ends with the test.
// Without Chromium the test is skipped, except where CI=true.
func Open(t testing.TB, more ...chromedp.ContextOption) context.Context {
	t.Helper()
	profile := t.TempDir()
	if err := prefer(profile, `{"profile":{"cookie_controls_mode":1,"block_third_party_cookies":true}}`); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(profile), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.WindowSize(1280, 900))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, shut := chromedp.NewContext(ctx, more...)
	t.Cleanup(shut)
	if err := chromedp.Do(ctx); err != nil { // starts it; its life is not bound to any step's time
		t.Fatal(err)
	}
	return ctx
}

func prefer(profile, preferences string) error {
	if err := os.MkdirAll(filepath.Join(profile, "Default"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(preferences), 0o600)
}

func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("Chromium is missing")
	}
	t.Skip("Chromium is missing")
	return ""
}

// Do runs chromedp's own actions. They look an element up before they use it:
// on a page that may draw it anew meanwhile, use Press and Write.
func Do(t testing.TB, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, Timeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// Eval runs an expression as if a person had just pressed something: windows
// may open.
func Eval[T any](tab context.Context, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(tab, Timeout)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise,
		func(p *runtime.EvaluateParams) { p.UserGesture = new(true) }))
}

// Until waits for an expression to be true. A page that is being left answers
// with an error: ask the next one.
func Until(t testing.TB, tab context.Context, expression string) {
	t.Helper()
	for deadline := time.Now().Add(Timeout); ; time.Sleep(20 * time.Millisecond) {
		ok, err := Eval[bool](tab, "Boolean("+expression+")")
		if ok && err == nil {
			return
		}
		if time.Now().After(deadline) {
			body, _ := Eval[string](tab, "document.body.innerText.slice(0, 600)")
			t.Fatalf("never: %s (%v). The page says: %s", expression, err, body)
		}
	}
}

// Press presses what a selector finds once it can be: there, seen, enabled, not
// covered.
func Press(t testing.TB, tab context.Context, selector string) {
	t.Helper()
	PressFound(t, tab, fmt.Sprintf("document.querySelector(%s)", Quoted(selector)))
}

// PressFound presses the element that a JavaScript expression finds, as Press
// does. It is found anew at each try: a page may draw it again meanwhile.
func PressFound(t testing.TB, tab context.Context, expression string) {
	t.Helper()
	Until(t, tab, fmt.Sprintf(`(() => {
		const e = %s;
		if (!e || e.disabled || !e.checkVisibility()) return false;
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const r = e.getBoundingClientRect();
		const hit = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
		if (!hit || !(e.contains(hit) || hit.contains(e))) return false;
		e.focus();
		e.click();
		return true;
	})()`, expression))
}

// Write types into what a selector finds, in place of what is there.
func Write(t testing.TB, tab context.Context, selector, text string) {
	t.Helper()
	Until(t, tab, fmt.Sprintf(`(() => {
		const e = document.querySelector(%s);
		if (!e || e.disabled || !e.checkVisibility()) return false;
		e.focus();
		e.select();
		return document.execCommand("insertText", false, %s);
	})()`, Quoted(selector), Quoted(text)))
}

// Quoted is a text as JavaScript writes it.
func Quoted(text string) string {
	b, _ := json.Marshal(text) // a string always marshals
	return string(b)
}
