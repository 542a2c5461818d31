//go:build !race

package browser

import (
	"fmt"
	"strings"
	"testing"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/browsertest"
	"dialpad-texting/internal/demotest"
	"dialpad-texting/models/modeltest"
)

// startBrowser starts a demo on SQLite and opens a browser on it.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	return openBrowser(t, demotest.Start(t, modeltest.SQLite(t, nil)))
}

func (b *browser) openCRM(tenant, path string) {
	b.t.Helper()
	b.root.visit(b.d.CRMSandbox.Origin(tenant) + path)
}

// frame attaches to the newest frame of the app at a path.
func (b *browser) frame(path string) *view {
	b.t.Helper()
	return b.attach("iframe", b.d.AppURL+path)
}

// switchUser switches the CRM's user.
func (b *browser) switchUser(user string) {
	b.t.Helper()
	b.root.until(fmt.Sprintf(`(() => { window.left = true; const s = document.querySelector("[name=user]"); s.value = %q; s.dispatchEvent(new Event("change")); return true; })()`, user))
	b.root.until(fmt.Sprintf(`!window.left && document.readyState === "complete" && document.querySelector("[name=user]").value === %q`, user))
}

// openPopup opens the popup for a contact's number as a person does: the
// number, its menu, Text.
func (b *browser) openPopup(contact string) *view {
	b.t.Helper()
	b.openCRM("acme", "/contacts/"+contact)
	return b.openPopupHere()
}

func (b *browser) openPopupHere() *view {
	b.t.Helper()
	b.root.until(`document.querySelector("[data-dialpad-number][aria-haspopup]")`)
	b.root.press(".facts [data-dialpad-number]")
	b.root.pressText("Text")
	return b.frame("/embed/popup")
}

const connectedPage = `document.querySelector("#next")?.textContent === "Configure"`

func TestUpgradeIsOfferedWithoutDialpadInThePlanInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.openCRM("globex", "/apps")
	b.root.pressText("Dialpad")
	f := b.frame("/apps/dialpad")
	f.until(`(() => { document.cookie = "probe=1; SameSite=None; Secure"; return document.cookie === ""; })()`) // third-party cookies are blocked
	f.waitText("Not included in Starter")
	b.checkAppearance("app-plan-lacks", b.root, f)
	f.press("#next")
	f.until(`document.querySelector("#upgrade").open`)
	b.checkAppearance("app-upgrade", b.root, f)
	f.pressText("Not now")
	f.until(`!document.querySelector("#upgrade").open`)
	if got := b.d.AppPage("globex", "51").Get("/apps/dialpad/status").At("installed"); got != false {
		t.Errorf("installed is %v", got)
	}
	f.press("#next")
	f.pressText("Upgrade")
	b.root.until(`document.querySelector("#upgrade").open && document.querySelector("[data-plan=starter]") === null`)
	b.root.pressText("Upgrade")
	b.root.waitText("Plan changed. Dialpad was told.")
	f = b.frame("/apps/dialpad")
	f.waitText("Included in Business")
	b.wantCleanConsole()
}

// TestInstallConnectTextAndDisconnectInABrowser goes from a CRM without the app
// to texts on phones, and back.
func TestInstallConnectTextAndDisconnectInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)

	popup := b.openPopup("7")
	popup.waitText(demotest.ConnectMessage)
	b.checkAppearance("popup-not-installed", b.root, popup)
	popup.pressText("Click here")
	b.root.until(`location.pathname === "/apps/dialpad"`)

	f := b.frame("/apps/dialpad")
	f.waitText("Included in Business")
	b.checkAppearance("app-install", b.root, f)
	f.press("#next")
	f.until(`document.querySelector("#next")?.textContent === "Connect"`)
	b.checkAppearance("app-installed", b.root, f)
	f.press("#next")
	dialpad := b.attach("page", b.d.DialpadURL+"/oauth2/authorize")
	f.waitText("Waiting for you to allow access")
	b.checkAppearance("app-connecting", b.root, f)
	b.checkAppearance("dialpad-consent", dialpad, dialpad)
	dialpad.press(`input[value="` + dialpadsandbox.AnaID + `"]`)
	dialpad.press(`button[value="allow"]`)
	dialpad.waitText("acme.localhost:")
	b.checkAppearance("connect-confirm", dialpad, dialpad)
	dialpad.press(`button[value="connect"]`)
	dialpad.waitText("Dialpad is connected")
	f.until(connectedPage)
	f.waitText("Connected to Acme Inc")
	f.until(`document.querySelectorAll("#people tbody tr").length >= 4`)
	b.checkAppearance("app-connected", b.root, f)
	b.wantCleanConsole()
	// Whatever the time of day is.
	b.d.AppPage("acme", "42").SaveSettings(map[string]any{"quiet_hours": nil, "keep_laws": false})

	t.Run("who may not text reads why", b.usersWithoutAccount)
	t.Run("one text", b.oneText)
	t.Run("the page again by its cookie", b.reloadByCookie)
	t.Run("a bulk from the deals", b.bulk)
	t.Run("settings and leaving", b.settingsAndDisconnect)
}

// useT makes the helpers report to a subtest.
func (b *browser) useT(t *testing.T) { b.t, b.d.T = t, t }

func (b *browser) usersWithoutAccount(t *testing.T) {
	b.useT(t)
	b.openCRM("acme", "/contacts/7")
	b.switchUser("44")
	popup := b.openPopupHere()
	popup.waitText("No Dialpad account found")
	popup.waitText("cleo@acme.com")
	b.checkAppearance("popup-no-account", b.root, popup)
	b.openCRM("acme", "/contacts/7")
	b.switchUser("45")
	popup = b.openPopupHere()
	popup.until(`!document.querySelector("#state").hidden`)
	popup.until(`document.querySelector("#state h2").textContent === "No Dialpad number"`)
	b.checkAppearance("popup-no-number", b.root, popup)
	b.openCRM("acme", "/contacts/7")
	b.switchUser("43")
	b.openCRM("acme", "/apps/dialpad")
	f := b.frame("/apps/dialpad")
	f.waitText("You can text from ")
	f.until(`!document.querySelector("#actions button") && !document.querySelector("#people tr")`)
	b.checkAppearance("app-user", b.root, f)
	b.switchUser("42")
	popup = b.openPopup("8")
	popup.waitText("Unsubscribed from Text")
	b.checkAppearance("popup-opted-out", b.root, popup)
	b.wantCleanConsole()
}

func (b *browser) oneText(t *testing.T) {
	b.useT(t)
	popup := b.openPopup("7")
	popup.waitText("Bob Tanaka")
	popup.until(`document.activeElement.id === "message"`)
	b.checkAppearance("popup-one", b.root, popup)
	popup.press("#template")
	popup.waitText("Hello from us")
	b.checkAppearance("popup-templates", b.root, popup)
	popup.write("#template", "hello")
	popup.until(`document.querySelectorAll("#template-list [role=option]").length === 1`)
	popup.press("#template-list [role=option]")
	const text = "Hi Bob, this is Ana Ruiz from Acme. Is now a good time for a quick question?"
	popup.until(`document.querySelector("#message").value === ` + browsertest.Quoted(text))
	popup.waitText("1 text")
	b.checkAppearance("popup-ready", b.root, popup)
	popup.press("#send")
	popup.until(`document.querySelector("#progress").dataset.state === "delivered"`)
	popup.waitText("Delivered")
	b.checkAppearance("popup-delivered", b.root, popup)
	if n := b.d.DialpadSandbox.AcceptedOf("+14155550142", text); n != 1 {
		t.Errorf("it was texted %d times", n)
	}
	popup.pressText("Close")
	b.root.until(`!document.querySelector("dialog[open]") && document.querySelector(".timeline .chip")?.textContent === "Delivered"`)
	b.root.waitText(text)
	b.checkAppearance("crm-timeline", b.root, b.root)
	b.root.visit(b.d.DialpadURL + "/phones")
	b.root.waitText(text)
	b.checkAppearance("dialpad-phones", b.root, b.root)
	b.wantCleanConsole()
}

// reloadByCookie opens our page at the top of a tab, where reload, back and
// forward have no launch token.
func (b *browser) reloadByCookie(t *testing.T) {
	b.useT(t)
	token, err := b.d.CRMSandbox.Token("acme", "42", "page", nil)
	b.d.Must(err)
	b.openCRM("acme", "/contacts")
	b.root.until(fmt.Sprintf(`(() => {
		const form = document.createElement("form");
		form.method = "post";
		form.action = %q;
		const field = document.createElement("input");
		field.name = "token";
		field.value = %q;
		form.append(field);
		document.body.append(form);
		form.submit();
		return true;
	})()`, b.d.AppURL+"/apps/dialpad", token))
	b.root.until(connectedPage)
	b.checkAppearance("app-top-level", b.root, b.root)
	for range 2 {
		b.root.until(`(() => { document.title = "before"; location.reload(); return true; })()`)
		b.root.until(`document.title !== "before" && ` + connectedPage)
	}
	b.root.press(`a[href="/texts"]`)
	b.root.until(`location.pathname === "/texts" && document.querySelector("#batches a")`)
	b.checkAppearance("outbox-top-level", b.root, b.root)
	b.root.until(`(() => { history.back(); return true; })()`)
	b.root.until(`location.pathname === "/apps/dialpad" && ` + connectedPage)
	b.wantCleanConsole()
}

func (b *browser) bulk(t *testing.T) {
	b.useT(t)
	b.d.RaiseLimits(b.d.AppPage("acme", "42"))
	b.openCRM("acme", "/deals")
	b.root.press("[data-page-all]")
	b.root.press("[data-text]")
	popup := b.frame("/embed/popup")
	popup.waitText("will get it")
	popup.write("#message", "Hi {{Contact.firstName}}, about {{Deal.title}}: is Tuesday fine?")
	popup.until(`!document.querySelector("#preview").hidden && document.querySelector("#preview .bubble").textContent.startsWith("Hi Marta, about Harbor")`)
	b.checkAppearance("popup-bulk", b.root, popup)
	popup.press(`[aria-controls="left-out"]`)
	popup.until(`!document.querySelector("#left-out").hidden`)
	b.checkAppearance("popup-bulk-left-out", b.root, popup)
	popup.press(`[data-step=next]`)
	popup.until(`!document.querySelector("#preview .bubble").textContent.startsWith("Hi Marta")`)
	before := b.d.DialpadSandbox.Accepted()
	label, err := browsertest.Eval[string](popup.ctx, `document.querySelector("#send span").textContent`)
	b.d.Must(err)
	popup.press("#send")
	popup.until(`document.querySelector("#progress [role=progressbar]")`)
	b.checkAppearance("popup-bulk-progress", b.root, popup)
	popup.until(`document.querySelector("#progress").dataset.state === "done"`)
	popup.until(`!document.querySelector("#progress").innerText.includes(" sent")`) // each of them delivered
	b.checkAppearance("popup-bulk-done", b.root, popup)
	if sent := b.d.DialpadSandbox.Accepted() - before; fmt.Sprintf("Send to %d", sent) != label {
		t.Errorf("%d were texted; the button said %q", sent, label)
	}
	popup.pressText("Close")
	b.root.pressText("Texts")
	b.root.until(`location.pathname === "/texts"`)
	f := b.frame("/texts")
	f.waitText("Hi {{Contact.firstName}}, about {{Deal.title}}")
	b.checkAppearance("outbox", b.root, f)
	f.press(`#batches a`)
	f.until(`document.querySelectorAll("#one tbody tr").length > 3`)
	b.checkAppearance("outbox-batch", b.root, f)
	f.pressText("Receipt")
	f.until(`document.querySelector("#receipt").open`)
	b.checkAppearance("outbox-receipt", b.root, f)
	if twice := b.d.DialpadSandbox.TextedTwice(); len(twice) > 0 {
		t.Errorf("texted twice: %v", twice)
	}
	b.wantCleanConsole()
}

func (b *browser) settingsAndDisconnect(t *testing.T) {
	b.useT(t)
	b.openCRM("acme", "/apps/dialpad")
	f := b.frame("/apps/dialpad")
	f.until(connectedPage)
	f.press("#next")
	f.until(`document.querySelector("#settings").open`)
	b.checkAppearance("app-settings", b.root, f)
	f.write("#set-opt", "Reply STOP to unsubscribe")
	f.press("#settings button.primary")
	f.waitText("Settings saved.")
	f.press(`[aria-haspopup=menu]`)
	f.pressText("Disconnect")
	f.until(`document.querySelector("#confirm").open`)
	b.checkAppearance("app-disconnect", b.root, f)
	f.press("#confirm .danger")
	f.waitText("Dialpad is disconnected.")
	b.checkAppearance("app-disconnected", b.root, f)
	popup := b.openPopup("7")
	popup.waitText(demotest.ConnectMessage)
	if got, _ := browsertest.Eval[string](popup.ctx, `document.querySelector("#state a").href`); !strings.HasSuffix(got, "/#/app/setup/apps/dialpad") {
		t.Errorf("Click here leads to %q", got)
	}
	b.checkAppearance("popup-not-connected", b.root, popup)
	b.wantCleanConsole()
}
