//go:build !race

package main

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"

	"dialpad-texting/integrations/browsertest"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
)

// TestConnectingHasOneNextStepInABrowser closes Dialpad's window, refuses, and connects in the end: at each moment the page
// has one primary button.
func TestConnectingHasOneNextStepInABrowser(t *testing.T) {
	p := inBrowser(t)
	p.crm("acme", "/apps/dialpad")
	f := p.frame("/apps/dialpad")
	one := func(words string) {
		t.Helper()
		f.until(`(() => { const all = [...document.querySelectorAll("main .primary")].filter((one) => one.checkVisibility()); return all.length === 1 && all[0].innerText === ` + browsertest.Quoted(words) + `; })()`)
	}
	one("Install")
	f.press("#next")
	one("Connect")
	f.press("#next")
	dialpad := p.attach("page", p.w.dialpad+"/oauth2/authorize")
	one("Show the window")
	p.look("app-connecting", p.root, f)
	call(dialpad, cdppage.Close, cdp.Empty{})
	one("Start again")
	p.look("app-window-closed", p.root, f)
	f.pressText("Start again")
	dialpad = p.attach("page", p.w.dialpad+"/oauth2/authorize")
	one("Show the window")
	dialpad.press(`button[value="deny"]`)
	f.says("Access was not allowed in Dialpad, so nothing was connected.")
	one("Connect")
	p.look("app-refused", p.root, f)
	f.press("#next") // the refused window is still open: it is used again
	dialpad.press(`input[value="` + dialpadsandbox.AnaID + `"]`)
	dialpad.press(`button[value="allow"]`)
	f.says("Connected to Acme Inc")
	one("Configure")
	p.quiet()
}
