//go:build !race

package main

import (
	"net/http"
	"testing"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
)

// many opens the bulk popup for the first page of a list.
func (p *person) many(list string) *view {
	p.t.Helper()
	p.crm("acme", list)
	p.root.press("[data-page-all]")
	p.root.press("[data-text]")
	popup := p.frame("/embed/popup")
	popup.says("will get it")
	return popup
}

// TestABulkIsFoundAgainAndCancelledOnPurposeInABrowser loses the network while it counts and the page while it sends.
func TestABulkIsFoundAgainAndCancelledOnPurposeInABrowser(t *testing.T) {
	p := inBrowser(t)
	page := p.w.connected()
	if a := page.do(http.MethodPut, "/apps/dialpad/settings", map[string]any{"rate_per_minute": 6}); a.status != http.StatusOK {
		t.Fatalf("settings: %d %s", a.status, a.body) // slow enough to be looked at
	}
	popup := p.many("/deals")
	popup.network(true)
	popup.write("#message", "Hi {{Contact.firstName}}, about {{Deal.title}}")
	popup.says("It is counted as soon as the network is back.")
	p.look("popup-bulk-offline", p.root, popup)
	popup.network(false)
	popup.until(`document.querySelector("#send span").textContent.startsWith("Send to ") && document.querySelector("#counter").textContent === "46 characters as written"`)
	popup.until(`(() => { const send = document.querySelector("#send"); send.click(); send.click(); return true; })()`)
	popup.until(`document.querySelector("#progress [role=progressbar]")`)

	popup = p.many("/contacts")
	popup.says("Your bulk text to 21 deals is under way")
	popup.write("#message", "Half a sen")
	p.look("popup-bulk-running", p.root, popup)
	popup.pressText("Show it")
	popup.pressText("Cancel the rest")
	popup.until(`document.activeElement.innerText === "Keep them"`)
	p.look("popup-bulk-cancel", p.root, popup)
	popup.pressText("Keep them")
	popup.until(`document.activeElement.innerText === "Cancel the rest" && document.querySelector("#progress").dataset.state === "sending"`)
	popup.pressText("Cancel the rest")
	popup.pressText("Cancel the texts")
	popup.until(`document.querySelector("#progress").dataset.state === "cancelled"`)
	popup.pressText("Back")
	popup.until(`document.querySelector("#message").value === "Half a sen"`)
	popup.pressText("Schedule")
	popup.pressText("Send now instead")
	popup.press("#send")
	popup.until(`document.querySelector("#progress").dataset.state === "sending"`)

	p.crm("acme", "/texts")
	f := p.frame("/texts")
	f.press("#batches a")
	f.press("[data-act=pause]")
	f.until(`document.activeElement.dataset.act === "resume" && document.querySelector("#one .badge").textContent === "Paused"`)
	f.press("[data-act=resume]")
	f.until(`document.activeElement.dataset.act === "pause" && document.querySelector("#one .badge").textContent === "Sending"`)
	if twice := p.w.dialpadSandbox.TextedTwice(); len(twice) > 0 {
		t.Errorf("texted twice: %v", twice)
	}
	p.quiet()
}

// TestWhoWasTextedAgainIsOfferedOnceInABrowser sends a refused text again from the outbox.
func TestWhoWasTextedAgainIsOfferedOnceInABrowser(t *testing.T) {
	p := inBrowser(t)
	p.w.connected()
	p.w.dialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.Forbidden, Path: "/api/v2/sms", Times: 1})
	popup := p.text("7")
	popup.write("#message", "Refused at first")
	popup.press("#send")
	popup.settled("failed")
	popup.says("Dialpad says: Permission denied")

	p.crm("acme", "/texts")
	f := p.frame("/texts")
	f.press("#batches a")
	f.pressText("Text the failed ones again (1)")
	f.until(`document.querySelector("#one .badge")?.textContent === "Delivered" && !document.querySelector("[data-act=resend]")`)
	f.pressText("All texts")
	f.until(`document.querySelectorAll("#batches li").length === 2`)
	f.press("#batches li:last-child a")
	f.until(`document.querySelector("[data-act=csv]") && document.querySelector("#one .badge").textContent === "Failed"`)
	f.until(`!document.querySelector("[data-act=resend]")`)
	p.look("outbox-texted-again", p.root, f)
	p.quiet()
}
