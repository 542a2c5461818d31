//go:build !race

package browser

import "testing"

// TestATestGoesToOneselfInABrowser sends the text to one's own phone before
// it goes to the person.
func TestATestGoesToOneselfInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	popup := b.openPopup("7")
	popup.write("#message", "Hi {{Contact.firstName|there}}")
	popup.press("#test")
	popup.until(`document.activeElement.id === "test-number"`)
	popup.write("#test-number", "+1 415 555 0100") // Ana's Dialpad number
	popup.press("[data-act=test-send]")
	popup.until(`document.querySelector("#test-panel .note.bad")?.innerText.includes("from itself")`)
	popup.write("#test-number", "(646) 555-0111")
	popup.press("[data-act=test-send]")
	popup.until(`document.querySelector("#test-panel .note.good")?.innerText.includes("Delivered")`)
	b.checkAppearance("popup-test", b.root, popup)
	popup.press("#send")
	popup.until(`document.querySelector("#progress")?.dataset.state === "delivered"`)
}
