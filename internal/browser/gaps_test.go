//go:build !race

package browser

import (
	"strings"
	"testing"
)

// TestGapsAreFilledInBeforeATextLeavesInABrowser picks a template whose
// fields are empty for this person.
func TestGapsAreFilledInBeforeATextLeavesInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	popup := b.openPopup("16")
	popup.press("#template")
	popup.write("#template", "closing")
	popup.until(`document.querySelectorAll("#template-list [role=option]").length === 1`)
	popup.press("#template-list [role=option]")
	popup.until(`document.querySelector("#message").value.includes("⟦")`)

	const selected = `(() => { const area = document.querySelector("#message");
		return document.activeElement === area && area.value.slice(area.selectionStart, area.selectionEnd); })()`
	first := selected + `.startsWith("⟦")`
	popup.until(first)
	popup.waitText("before you send")
	popup.until(`document.querySelector("#send").getAttribute("aria-disabled") === "true"`)
	popup.until(`!document.querySelector("#counter").title.includes("UCS-2")`)
	b.checkAppearance("popup-gap", b.root, popup)

	popup.press("#send") // nothing leaves: the first gap is selected again
	popup.until(first)
	if n := len(b.d.DialpadSandbox.Texts()); n > 0 {
		t.Fatalf("%d texts left with a gap", n)
	}
	const fill = `(() => { const area = document.querySelector("#message");
		area.value = area.value.replace(/⟦[^⟧]*⟧/g, "____"); area.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`
	popup.until(fill)
	popup.until(`document.querySelector("#send").getAttribute("aria-disabled") === "false" && document.querySelector("#notes").hidden`)
	popup.press("#send")
	popup.waitState("delivered")
	texts := b.d.DialpadSandbox.Texts()
	if len(texts) != 1 || !strings.Contains(texts[0].Text, "____") || strings.ContainsAny(texts[0].Text, "⟦⟧") {
		t.Errorf("texted %+v", texts)
	}

	popup.pressText("Write another")
	popup.write("#message", "Look at https://bit.ly/3xYz")
	popup.waitText("public short links (bit.ly)")
	b.checkAppearance("popup-short-link", b.root, popup)
	popup.write("#message", "\u200b\u2060")
	popup.until(`document.querySelector("#message").value.length === 2`)
	popup.until(`document.querySelector("#send").getAttribute("aria-disabled") === "true"`)
	b.wantCleanConsole()
}
