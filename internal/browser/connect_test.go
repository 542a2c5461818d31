//go:build !race

package browser

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/browsertest"
)

// TestConnectingHasOneNextStepInABrowser closes Dialpad's window, refuses, and
// connects in the end: at each moment the page has one primary button.
func TestConnectingHasOneNextStepInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.openCRM("acme", "/apps/dialpad")
	f := b.frame("/apps/dialpad")
	one := func(words string) {
		t.Helper()
		f.until(`(() => { const all = [...document.querySelectorAll("main .primary")].filter((one) => one.checkVisibility()); return all.length === 1 && all[0].innerText === ` + browsertest.Quoted(words) + `; })()`)
	}
	one("Install")
	f.press("#next")
	one("Connect")
	f.press("#next")
	dialpad := b.attach("page", b.d.DialpadURL+"/oauth2/authorize")
	one("Show the window")
	b.checkAppearance("app-connecting", b.root, f)
	call(dialpad, cdppage.Close, cdp.Empty{})
	one("Start again")
	b.checkAppearance("app-window-closed", b.root, f)
	f.pressText("Start again")
	dialpad = b.attach("page", b.d.DialpadURL+"/oauth2/authorize")
	one("Show the window")
	dialpad.press(`button[value="deny"]`)
	f.waitText("Access was not allowed in Dialpad, so nothing was connected.")
	one("Connect")
	b.checkAppearance("app-refused", b.root, f)
	f.press("#next") // the refused window is still open: it is used again
	dialpad.press(`input[value="` + dialpadsandbox.AnaID + `"]`)
	dialpad.press(`button[value="allow"]`)
	dialpad.press(`button[value="connect"]`)
	f.waitText("Connected to Acme Inc")
	one("Configure")
	b.wantCleanConsole()
}
