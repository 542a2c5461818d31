//go:build !race

package browser

import (
	"testing"

	"dialpad-texting/internal/browsertest"
)

// TestAnAnswerIsSeenWhereItIsAwaitedInABrowser texts somebody from the CRM,
// answers on the phone, and sees the answer in popup, outbox and timeline.
func TestAnAnswerIsSeenWhereItIsAwaitedInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.Connect()
	popup := b.openPopup("7")
	popup.write("#message", "Hi Bob, is 10 fine?")
	popup.press("#send")
	popup.waitState("delivered")
	popup.pressText("Close")
	b.root.until(`!document.querySelector("dialog[open]")`)

	popup = b.openPopup("7")
	popup.until(`document.querySelectorAll("#talk .out").length === 1`)
	answer := "Yes, 10 works. See you there, and bring the drawings of the second floor please."
	b.d.DialpadSandbox.Reply(bobsNumber, anasNumber, answer)
	popup.until(`document.querySelector("#talk .in")?.innerText.includes("Yes, 10 works")`)
	b.checkAppearance("popup-conversation", b.root, popup)
	popup.until(`document.activeElement.id === "message"`)
	popup.until(sendInSight)
	popup.press("#close")
	b.root.until(`document.querySelector(".timeline, [data-live]").innerText.includes(` + browsertest.Quoted(answer) + `)`)
	b.checkAppearance("crm-answer", b.root, b.root)

	b.openCRM("acme", "/texts")
	f := b.frame("/texts")
	f.waitText("1 replied")
	b.checkAppearance("outbox-replied", b.root, f)
	f.press("#batches a")
	f.waitText("Yes, 10 works")
	b.checkAppearance("outbox-answer", b.root, f)
	b.d.DialpadSandbox.Reply(bobsNumber, anasNumber, "And parking?")
	f.waitText("And parking?")
	f.press("[data-act^=receipt]")
	f.until(`document.querySelector("#receipt").innerText.includes("Yes, 10 works")`)
	b.checkAppearance("outbox-receipt-answer", b.root, f)
	b.wantCleanConsole()
}
