//go:build !race

package browser

import (
	"testing"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
)

// openBulkPopup opens the bulk popup for the first page of a list.
func (b *browser) openBulkPopup(list string) *view {
	b.t.Helper()
	b.openCRM("acme", list)
	b.root.press("[data-page-all]")
	b.root.press("[data-text]")
	popup := b.frame("/embed/popup")
	popup.waitText("will get it")
	return popup
}

// TestBulkIsFoundAgainAndCancelledInABrowser loses the network while
// it counts and the page while it sends.
func TestBulkIsFoundAgainAndCancelledInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	page := b.d.Connect()
	page.SaveRate(6) // slow enough to be watched
	popup := b.openBulkPopup("/deals")
	popup.setOffline(true)
	popup.write("#message", "Hi {{Contact.firstName}}, about {{Deal.title}}")
	popup.waitText("We'll count again when you're back online.")
	b.checkAppearance("popup-bulk-offline", b.root, popup)
	popup.setOffline(false)
	popup.until(`document.querySelector("#send span").textContent.startsWith("Send to ") && document.querySelector("#counter").textContent === "about 1 text each"`)
	popup.until(`(() => { const send = document.querySelector("#send"); send.click(); send.click(); return true; })()`)
	popup.until(`document.querySelector("#progress [role=progressbar]")`)

	popup = b.openBulkPopup("/contacts")
	popup.waitText("Your bulk text to 21 deals is being sent")
	popup.write("#message", "Half a sen")
	b.checkAppearance("popup-bulk-running", b.root, popup)
	popup.pressText("Show")
	popup.pressText("Cancel the rest")
	popup.until(`document.activeElement.innerText === "Keep them"`)
	b.checkAppearance("popup-bulk-cancel", b.root, popup)
	popup.pressText("Keep them")
	popup.until(`document.activeElement.innerText === "Cancel the rest" && document.querySelector("#progress").dataset.state === "sending"`)
	popup.pressText("Cancel the rest")
	popup.pressText("Cancel the texts")
	popup.until(`document.querySelector("#progress").dataset.state === "cancelled"`)
	popup.pressText("Back")
	popup.until(`document.querySelector("#message").value === "Half a sen"`)
	popup.pressText("Schedule")
	popup.pressText("Don't schedule")
	popup.press("#send")
	popup.until(`document.querySelector("#progress").dataset.state === "sending"`)

	b.openCRM("acme", "/texts")
	f := b.frame("/texts")
	f.press("#batches a")
	f.press("[data-act=pause]")
	f.until(`document.activeElement.dataset.act === "resume" && document.querySelector("#one .badge").textContent === "Paused"`)
	f.press("[data-act=resume]")
	f.until(`document.activeElement.dataset.act === "pause" && document.querySelector("#one .badge").textContent === "Sending"`)
	if twice := b.d.DialpadSandbox.TextedTwice(); len(twice) > 0 {
		t.Errorf("texted twice: %v", twice)
	}
	b.wantCleanConsole()
}

// TestFailedTextsAreOfferedForResendOnceInABrowser sends a refused text again from
// the outbox.
func TestFailedTextsAreOfferedForResendOnceInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.Connect()
	b.d.DialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.Forbidden, Path: "/api/v2/sms", Times: 1})
	popup := b.openPopup("7")
	popup.write("#message", "Refused at first")
	popup.press("#send")
	popup.waitState("failed")
	popup.waitText("Dialpad says: Permission denied")

	b.openCRM("acme", "/texts")
	f := b.frame("/texts")
	f.press("#batches a")
	f.pressText("Send again")
	f.until(`document.querySelector("#one .badge")?.textContent === "Delivered" && !document.querySelector("[data-act=resend]")`)
	f.pressText("All texts")
	f.until(`document.querySelectorAll("#batches li").length === 2`)
	f.press("#batches li:last-child a")
	f.until(`document.querySelector("[data-act=csv]") && document.querySelector("#one .badge").textContent === "Failed"`)
	f.until(`!document.querySelector("[data-act=resend]")`)
	b.checkAppearance("outbox-texted-again", b.root, f)
	b.wantCleanConsole()
}
