//go:build !race

package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/browsertest"
	"dialpad-texting/internal/demotest"
	"dialpad-texting/models/ledger"
)

// sendInSight is true where Send is inside the window and nothing covers it.
const sendInSight = `(() => {
	const r = document.querySelector("#send").getBoundingClientRect();
	const hit = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
	return r.width > 0 && r.right <= innerWidth && document.querySelector("#send").contains(hit) &&
		document.documentElement.scrollWidth <= innerWidth;
})()`

// resize makes the tab as wide and high, in CSS pixels.
func (b *browser) resize(width, height int64) {
	b.t.Helper()
	call(b.root, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
	b.root.until(fmt.Sprintf("innerWidth === %d", width))
}

// TestNothingInATextPushesSendOutOfReachInABrowser writes links and words that
// are wider than the popup.
func TestNothingInATextPushesSendOutOfReachInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	link := "https://example.com/" + strings.Repeat("a", 210)
	open := map[string]func() *view{
		"one":  func() *view { return b.openPopup("7") },
		"bulk": func() *view { return b.openBulkPopup("/contacts") },
	}
	for name, popup := range open {
		v := popup()
		for _, text := range []string{link, strings.Repeat("W", 300), "Hi {{Contact.firstName|" + strings.Repeat("x", 120) + "}} " + link} {
			v.write("#message", text)
			for _, size := range [][2]int64{{1280, 900}, {640, 400}, {320, 640}} {
				b.resize(size[0], size[1])
				v.until(sendInSight)
			}
			b.resize(1280, 900)
		}
		v.press("#later")
		v.until(`document.querySelector("#schedule [data-zone]")`)
		b.checkAppearance("popup-long-"+name, b.root, v)
		v.press("#close")
	}
	b.wantCleanConsole()
}

// TestTheMenuOfANumberIsAccessibleInABrowser checks the menu that the script
// for CRM pages opens.
func TestTheMenuOfANumberIsAccessibleInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.Connect()
	b.openCRM("acme", "/contacts/7")
	b.root.until(`document.querySelector("[data-dialpad-number][aria-haspopup]")`)
	b.root.press(".facts [data-dialpad-number]")
	b.root.until(`document.activeElement.getAttribute("role") === "menuitem"`)
	b.checkAppearance("sdk-menu", b.root, b.root)
	b.root.key("Escape", "", 0)
	b.root.until(`!document.querySelector("[role=menu], [role=region][aria-label=Dialpad]")`)
}

// nightFor makes it night for people in New York, and for nobody by law.
func (b *browser) nightFor(admin *demotest.Page) {
	b.t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	b.d.Must(err)
	clock := func(d time.Duration) string { return time.Now().In(zone).Add(d).Format("15:04") }
	admin.SaveSettings(map[string]any{"quiet_hours": map[string]string{"from": clock(-6 * time.Hour), "to": clock(8 * time.Hour)}, "keep_laws": false})
}

// TestALargeBulkIsAskedAboutAndCanBeUndoneInABrowser presses what would send
// by mistake: Ctrl+Enter, Enter in the date, Enter again.
func TestALargeBulkIsAskedAboutAndCanBeUndoneInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	admin := b.d.Connect()
	b.d.RaiseLimits(admin)
	admin.SaveSettings(map[string]any{"confirm_over": 5})
	b.nightFor(admin)
	popup := b.openBulkPopup("/contacts")
	popup.write("#message", "Hi {{Contact.firstName|there}}, we open at nine")
	popup.waitText("It is night for all of them")
	b.checkAppearance("popup-bulk-night", b.root, popup)
	popup.press("#later")
	popup.until(`document.activeElement.type === "datetime-local"`)
	popup.key("Enter", "\r", 0)
	popup.until(`!document.querySelector("#compose").hidden && document.querySelector("#send span").textContent === "Schedule text"`)
	popup.pressText("Don't schedule")

	popup.until(`document.querySelector("#message").focus() || true`)
	popup.key("Enter", "", ctrl)
	popup.waitText("people now?")
	popup.waitText("For all of them it is night.")
	popup.until(`document.querySelector("#confirm .bubble").textContent.startsWith("Hi ")`)
	popup.key("Enter", "", ctrl)
	popup.key("Enter", "\r", 0)
	popup.until(`!document.querySelector("#confirm").hidden`)
	b.checkAppearance("popup-confirm", b.root, popup)
	popup.key("Escape", "", 0)
	popup.until(`document.activeElement.id === "send" && !document.querySelector("#compose").hidden`)
	list, err := b.d.Program.Store.Batches.List(t.Context(), "t_9", ledger.BatchFilter{}, "", 10)
	b.d.Must(err)
	if len(list) != 0 {
		t.Fatalf("%d batches were made", len(list))
	}

	popup.press("#send")
	popup.press("[data-act=confirm-move]")
	popup.press("[data-act=confirm-send]")
	popup.until(`/^Sending in \d+ s$/.test(document.querySelector("#progress h2").textContent)`)
	b.checkAppearance("popup-undo", b.root, popup)
	popup.press("[data-act=undo]")
	popup.waitText("Undone. Nothing was sent.")
	popup.until(`document.querySelector("#message").value.includes("we open at nine")`)
	if n := b.d.DialpadSandbox.SMSPosts(); n != 0 {
		t.Errorf("%d texts went", n)
	}
	popup.press("#send")
	popup.press("[data-act=confirm-send]")
	popup.until(`document.querySelector("#progress").dataset.state === "undo"`)
	popup.until(`["preparing", "sending", "done"].includes(document.querySelector("#progress").dataset.state)`)
	b.d.Until("the texts went", func() bool { return b.d.DialpadSandbox.SMSPosts() > 5 })
	b.wantCleanConsole()
}

// TestFieldsAreChipsInABrowser writes with fields and looks at what is stored.
func TestFieldsAreChipsInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	popup := b.openBulkPopup("/contacts")
	popup.write("#message", "Hi {{Contact.firstName|there}}, see you ")
	const shown = `document.querySelector("#message").value.replaceAll("\u2063", "|")`
	popup.until(shown + `.includes("or “there”|, see you ") && !` + shown + `.includes("{{")`)
	popup.press("#insert")
	popup.write("#field", "title")
	popup.until(`document.querySelectorAll("#field-list [role=option]").length > 0`)
	popup.key("Enter", "\r", 0)
	popup.until(`document.activeElement.id === "message" && document.querySelectorAll(".under mark.chip").length === 2`)
	b.checkAppearance("popup-chips", b.root, popup)
	popup.key("Backspace", "", 0)
	popup.until(`document.querySelectorAll(".under mark.chip").length === 1 && ` + shown + `.endsWith("see you ")`)
	popup.waitText("Hi Marta, see you")
	popup.press("#send")
	popup.until(`!document.querySelector("#progress").hidden`)
	b.d.Until("the texts have values", func() bool {
		texts := b.d.DialpadSandbox.Texts()
		return len(texts) > 0 && !strings.ContainsAny(texts[0].Text, "{}\u2063")
	})
	b.wantCleanConsole()
}

// TestWhoGetsABulkIsChosenInABrowser reaches people at their work phone and
// leaves one out.
func TestWhoGetsABulkIsChosenInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	popup := b.openBulkPopup("/contacts")
	popup.write("#message", "We are closed on Friday")
	popup.until(`document.querySelector("#send span").textContent.startsWith("Send to ")`)
	const will = `Number(document.querySelector("#send span").textContent.match(/\d+/)?.[0])`
	before, err := browsertest.Eval[int](popup.ctx, will)
	b.d.Must(err)
	popup.press("[data-act=left-out]")
	popup.waitText("· n/a")
	popup.until(`document.querySelector("#left-out a").href.includes("/contacts/") && document.querySelector("#left-out a").target === "_blank"`)
	b.checkAppearance("popup-left-out", b.root, popup)
	popup.until(`(() => { const s = document.querySelector("#else-field"); s.value = "work"; s.dispatchEvent(new Event("change")); return true; })()`)
	popup.until(fmt.Sprintf("%s > %d", will, before))
	popup.press("[data-act=will-get]")
	popup.write("#will-get input", "tanaka")
	popup.until(`document.querySelectorAll("#will-get li").length === 1`)
	b.checkAppearance("popup-people", b.root, popup)
	popup.press(`#will-get [data-act="out-7"]`)
	popup.waitText("Left out by you (1)")
	popup.press("#send")
	popup.until(`!document.querySelector("#progress").hidden`)
	b.d.Until("Callum got it at work", func() bool { return b.d.DialpadSandbox.AcceptedOf("+17025550138", "We are closed on Friday") == 1 })
	if n := b.d.DialpadSandbox.AcceptedOf("+14155550142", "We are closed on Friday"); n != 0 {
		t.Errorf("Bob got it %d times", n)
	}
	b.wantCleanConsole()
}

// TestZonesAreFoundByNameInABrowser schedules by a chip and by a searched zone.
func TestZonesAreFoundByNameInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	popup := b.openPopup("2")
	popup.write("#message", "See you then")
	popup.press("#later")
	popup.press("[data-act=shortcut-tomorrow]")
	popup.until(`/^Tomorrow, 9:00\sAM in New York$/.test(document.querySelector("#schedule [id$=-words]").textContent)`)
	popup.press("#schedule [data-zone]")
	popup.until(`[...document.querySelectorAll("#schedule [role=option] span")].some((one) => one.textContent === "UTC")`)
	b.checkAppearance("popup-zones", b.root, popup)
	for _, query := range []string{"calcutta", "india", "utc+5:30"} {
		popup.write("#schedule [data-zone]", query)
		popup.until(`document.querySelector("#schedule [role=option] span")?.textContent === "Kolkata (India)"`)
	}
	popup.key("Enter", "\r", 0)
	popup.until(`document.querySelector("#schedule [data-zone]").value === "Kolkata (India) UTC+5:30"`)
	popup.until(`document.querySelector("#schedule [id$=-words]").textContent.includes("in Kolkata (") && !document.querySelector("#compose").hidden`)
	b.checkAppearance("popup-zone-chosen", b.root, popup)
	b.wantCleanConsole()
}

// noStorage is what a frame meets where a browser blocks storage of other
// sites.
const noStorage = `Object.defineProperty(window, "sessionStorage", { get() { throw new DOMException("denied", "SecurityError"); } })`

// launchPopup opens the popup for Bob in the first tab.
func (b *browser) launchPopup() {
	b.t.Helper()
	target := demotest.Bob()
	token, err := b.d.CRMSandbox.Token("acme", "42", crm.UsePopup, &target)
	b.d.Must(err)
	b.openCRM("acme", "/contacts/7")
	_, err = browsertest.Eval[bool](b.root.ctx, fmt.Sprintf(`(() => {
		const form = document.createElement("form");
		Object.assign(form, { method: "post", action: %q });
		const field = document.createElement("input");
		Object.assign(field, { name: "token", value: %q });
		form.append(field);
		document.body.append(form);
		form.submit();
		return true;
	})()`, b.d.AppURL+"/embed/popup", token))
	b.d.Must(err)
	b.root.until(`document.querySelector("#compose") && !document.querySelector("#compose").hidden`)
}

// TestDraftsAndTemplatesOutliveAReloadInABrowser opens the popup again where
// the browser stores nothing.
func TestDraftsAndTemplatesOutliveAReloadInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	call(b.root, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: noStorage})
	b.launchPopup()
	popup := b.root
	popup.press("#template")
	popup.write("#template", "thank you")
	popup.until(`document.querySelectorAll("#template-list [role=option]").length === 2`)
	popup.until(`[...document.querySelectorAll("#template-list small")].some((one) => one.textContent === "Thank you, Bob! Ana")`)
	popup.press("#template-list [role=option]:last-child")
	popup.press("#favourite")
	popup.until(`document.querySelector("#favourite").textContent === "★"`)
	popup.write("#message", "Half a sen")
	stored := func() bool {
		a := b.d.Popup("42", demotest.Bob()).Get("/embed/api/context")
		favourites, _ := a.At("preferences.favourite_templates").([]any)
		return a.Text("draft.text") == "Half a sen" && len(favourites) == 1
	}
	b.d.Until("the draft is kept", stored)
	b.launchPopup()
	popup.until(`document.querySelector("#message").value === "Half a sen"`)
	popup.press("#template")
	popup.until(`[...document.querySelectorAll("#template-list [role=group]")].slice(0, 2).map((one) => one.ariaLabel).join() === "Favourites,Recent"`)
	b.checkAppearance("popup-favourites", b.root, popup)
	b.wantCleanConsole()
}

// TestWhoTextedLastIsNamedInABrowser lets Ben text Bob, then opens Bob as Ana.
func TestWhoTextedLastIsNamedInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	b.openCRM("acme", "/contacts/7")
	b.switchUser("43")
	popup := b.openPopupHere()
	popup.write("#message", "Hi from Ben")
	popup.press("#send")
	popup.waitState("delivered")
	popup.press("#close")
	b.switchUser("42")
	popup = b.openPopupHere()
	popup.waitText("Ben Okoro texted Bob just now.")
	b.checkAppearance("popup-last-text", b.root, popup)
	b.wantCleanConsole()
}
