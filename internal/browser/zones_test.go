//go:build !race

package browser

import "testing"

// TestAnUnknownTimeZoneIsReplacedAndNamedInABrowser launches every page
// for a user whose time zone nobody knows.
func TestAnUnknownTimeZoneIsReplacedAndNamedInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	popup := b.openPopup("7")
	popup.write("#message", "In a known zone")
	popup.press("#send")
	popup.waitState("delivered")

	b.d.CRMSandbox.SetUserTimeZone("acme", "Etc/Unknown")
	const said = "your time zone is “Etc/Unknown”, which is not known here. Times are in New York time."
	b.openCRM("acme", "/texts")
	f := b.frame("/texts")
	f.waitText(said)
	f.waitText("Bob Tanaka")
	b.checkAppearance("outbox-unknown-zone", b.root, f)
	f.press("#batches a")
	f.waitText("In a known zone")

	b.openCRM("acme", "/apps")
	b.root.pressText("Dialpad")
	f = b.frame("/apps/dialpad")
	f.waitText(said)
	f.until(connectedPage)

	popup = b.openPopup("7")
	popup.write("#message", "Later")
	popup.pressText("Schedule")
	popup.waitText(said)
	popup.waitText("in New York")
	b.checkAppearance("popup-unknown-zone", b.root, popup)
	popup.press("#send")
	popup.waitState("scheduled")
	b.wantCleanConsole()
}
