//go:build !race

package browser

import (
	"testing"
)

const (
	bobsNumber = "+14155550142" // contact 7
	anasNumber = "+14155550100"
)

// TestOptOutsAreDecidedInABrowser answers a text in words that may mean an
// opt-out, decides it in each place, and records consent anew.
func TestOptOutsAreDecidedInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.Connect()
	asked := func(words string) {
		t.Helper()
		b.d.DialpadSandbox.Reply(bobsNumber, anasNumber, words)
		b.d.Until("the text is reviewed", func() bool {
			_, err := b.d.Program.Store.Suppressions.Review(t.Context(), "t_9", bobsNumber)
			return err == nil
		})
	}

	asked("please stop texting me")
	popup := b.openPopup("7")
	popup.waitText("May want no more texts")
	popup.waitText("please stop texting me")
	b.checkAppearance("popup-review", b.root, popup)
	popup.pressText("Keep texting")
	popup.until(`document.querySelector("#consent").hidden && !document.querySelector("#compose").hidden`)
	popup.press("#mark")
	b.checkAppearance("popup-mark", b.root, popup)
	popup.write("#consent-how", "Told me at the desk")
	popup.press("#consent .danger")
	popup.until(`document.querySelector("#state").dataset.code === "opted_out"`)
	b.checkAppearance("popup-opted-out", b.root, popup)
	popup.press("#anew")
	popup.press("#state .primary")
	popup.waitText("Write how this person gave consent")
	b.checkAppearance("popup-consent", b.root, popup)
	popup.write("#consent-how", "Signed the form")
	popup.press("#state .primary")
	popup.until(`!document.querySelector("#compose").hidden`)
	popup.write("#message", "Hello again")
	popup.press("#send")
	popup.waitState("delivered")

	asked("take me off your list")
	b.openCRM("acme", "/texts")
	f := b.frame("/texts")
	f.waitText("1 person may want no more texts")
	b.checkAppearance("outbox-reviews", b.root, f)
	f.press("#batches a")
	f.press("[data-act^=receipt]")
	f.waitText("Opted in")
	b.checkAppearance("outbox-receipt-review", b.root, f)
	f.press("#receipt .review .danger")
	f.until(`document.querySelector("#receipt").innerText.includes("Marked by a colleague")`)
	b.checkAppearance("outbox-receipt-opted-out", b.root, f)

	b.d.DialpadSandbox.Reply("+14155550143", anasNumber, "“Stop.” 🛑")
	b.d.Until("the STOP arrived", func() bool {
		out, err := b.d.Program.Store.Suppressions.Contains(t.Context(), "t_9", "+14155550143")
		return err == nil && out
	})
	b.openCRM("acme", "/apps/dialpad")
	page := b.frame("/apps/dialpad")
	page.waitText("2 numbers get no texts")
	page.until(`(() => { document.querySelector("#optouts-card").scrollIntoView({ block: "end" }); return true; })()`)
	b.checkAppearance("app-opt-outs", b.root, page)
	page.write("#optouts-q", "0143")
	page.until(`document.querySelectorAll("#optouts tbody tr").length === 1`)
	page.press("#optouts-add")
	b.checkAppearance("app-mark", b.root, page)
	page.write("#consent-number", "(415) 555-0144")
	page.press("#consent .danger")
	page.until(`!document.querySelector("#consent").open`)
	page.write("#optouts-q", "")
	page.waitText("3 numbers get no texts")
	b.wantCleanConsole()
	if n := b.d.DialpadSandbox.Accepted(); n != 1 {
		t.Errorf("%d texts", n)
	}
}
