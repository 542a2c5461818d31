//go:build !race

package main

import (
	"fmt"
	"strings"
	"testing"

	"dialpad-texting/integrations/browsertest"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/modeltest"
)

// inBrowser starts a world and sits a person down at it.
func inBrowser(t *testing.T) *person {
	t.Helper()
	return sitDown(t, startWorld(t, modeltest.SQLite(t, nil)))
}

func (p *person) crm(tenant, path string) {
	p.t.Helper()
	p.root.visit(p.w.crmSandbox.Origin(tenant) + path)
}

// frame is the frame of ours that shows last at an address.
func (p *person) frame(path string) *view {
	p.t.Helper()
	return p.attach("iframe", p.w.appURL+path)
}

// become switches the CRM's user.
func (p *person) become(user string) {
	p.t.Helper()
	p.root.until(fmt.Sprintf(`(() => { window.left = true; const s = document.querySelector("[name=user]"); s.value = %q; s.dispatchEvent(new Event("change")); return true; })()`, user))
	p.root.until(fmt.Sprintf(`!window.left && document.readyState === "complete" && document.querySelector("[name=user]").value === %q`, user))
}

// text opens the popup for a contact's number, as a person does: the number, its menu, Text.
func (p *person) text(contact string) *view {
	p.t.Helper()
	p.crm("acme", "/contacts/"+contact)
	return p.textHere()
}

func (p *person) textHere() *view {
	p.t.Helper()
	p.root.until(`document.querySelector("[data-dialpad-number][aria-haspopup]")`)
	p.root.press(".facts [data-dialpad-number]")
	p.root.pressText("Text")
	return p.frame("/embed/popup")
}

const connectedPage = `document.querySelector("#next")?.textContent === "Configure"`

func TestAPlanWithoutDialpadIsOfferedAnotherOneInABrowser(t *testing.T) {
	p := inBrowser(t)
	p.crm("globex", "/apps")
	p.root.pressText("Dialpad")
	f := p.frame("/apps/dialpad")
	f.until(`(() => { document.cookie = "probe=1; SameSite=None; Secure"; return document.cookie === ""; })()`) // third-party cookies are blocked
	f.says("Not included in Starter")
	p.look("app-plan-lacks", p.root, f)
	f.press("#next")
	f.until(`document.querySelector("#upgrade").open`)
	p.look("app-upgrade", p.root, f)
	f.pressText("Not now")
	f.until(`!document.querySelector("#upgrade").open`)
	if got := p.w.appPage("globex", "51").get("/apps/dialpad/status").at("installed"); got != false {
		t.Errorf("installed is %v", got)
	}
	f.press("#next")
	f.pressText("Upgrade")
	p.root.until(`document.querySelector("#upgrade").open && document.querySelector("[data-plan=starter]") === null`)
	p.root.pressText("Upgrade")
	p.root.says("Plan changed. Dialpad was told.")
	f = p.frame("/apps/dialpad")
	f.says("Included in Business")
	p.quiet()
}

// TestTheWholeStoryInABrowser walks from nothing to a text on a phone, and what each person sees on the way.
func TestTheWholeStoryInABrowser(t *testing.T) {
	p := inBrowser(t)
	w := p.w

	popup := p.text("7")
	popup.says(connectMessage)
	p.look("popup-not-installed", p.root, popup)
	popup.pressText("Click here")
	p.root.until(`location.pathname === "/apps/dialpad"`)

	f := p.frame("/apps/dialpad")
	f.says("Included in Business")
	p.look("app-install", p.root, f)
	f.press("#next")
	f.until(`document.querySelector("#next")?.textContent === "Connect"`)
	p.look("app-installed", p.root, f)
	f.press("#next")
	dialpad := p.attach("page", w.dialpad+"/oauth2/authorize")
	f.says("Waiting for you to allow access")
	p.look("app-connecting", p.root, f)
	p.look("dialpad-consent", dialpad, dialpad)
	dialpad.press(`input[value="` + dialpadsandbox.AnaID + `"]`)
	dialpad.press(`button[value="allow"]`)
	dialpad.says("Dialpad is connected")
	f.until(connectedPage)
	f.says("Connected to Acme Inc")
	f.until(`document.querySelectorAll("#people tbody tr").length >= 4`)
	p.look("app-connected", p.root, f)
	p.quiet()

	t.Run("who may not text reads why", p.others)
	t.Run("one text", p.oneText)
	t.Run("the page again by its cookie", p.pageAgain)
	t.Run("a bulk from the deals", p.bulk)
	t.Run("settings and leaving", p.leaving)
}

// on lends the person to a part of the story.
func (p *person) on(t *testing.T) { p.t, p.w.t = t, t }

func (p *person) others(t *testing.T) {
	p.on(t)
	p.crm("acme", "/contacts/7")
	p.become("44")
	popup := p.textHere()
	popup.says("No Dialpad account found")
	popup.says("cleo@acme.com")
	p.look("popup-no-account", p.root, popup)
	p.crm("acme", "/contacts/7")
	p.become("45")
	popup = p.textHere()
	popup.until(`!document.querySelector("#state").hidden`)
	p.look("popup-no-number", p.root, popup)
	p.crm("acme", "/contacts/7")
	p.become("43")
	p.crm("acme", "/apps/dialpad")
	f := p.frame("/apps/dialpad")
	f.says("Dialpad is connected.")
	f.until(`!document.querySelector("#actions button") && !document.querySelector("#people tr")`)
	p.look("app-user", p.root, f)
	p.become("42")
	popup = p.text("8")
	popup.says("Unsubscribed from Text")
	p.look("popup-opted-out", p.root, popup)
	p.quiet()
}

func (p *person) oneText(t *testing.T) {
	p.on(t)
	popup := p.text("7")
	popup.says("Bob Tanaka")
	popup.until(`document.activeElement.id === "message"`)
	p.look("popup-one", p.root, popup)
	popup.press("#template")
	popup.says("Hello from us")
	p.look("popup-templates", p.root, popup)
	popup.write("#template", "hello")
	popup.until(`document.querySelectorAll("#template-list [role=option]").length === 1`)
	popup.press("#template-list [role=option]")
	const text = "Hi Bob, this is Ana Ruiz from Acme. Is now a good time for a quick question?"
	popup.until(`document.querySelector("#message").value === ` + browsertest.Quoted(text))
	popup.says("1 segment")
	p.look("popup-ready", p.root, popup)
	popup.press("#send")
	popup.until(`document.querySelector("#progress").dataset.state === "delivered"`)
	popup.says("Delivered")
	p.look("popup-delivered", p.root, popup)
	if n := p.w.dialpadSandbox.AcceptedOf("+14155550142", text); n != 1 {
		t.Errorf("it was texted %d times", n)
	}
	popup.pressText("Close")
	p.root.until(`!document.querySelector("dialog[open]") && document.querySelector(".timeline .chip")?.textContent === "Delivered"`)
	p.root.says(text)
	p.look("crm-timeline", p.root, p.root)
	p.root.visit(p.w.dialpad + "/phones")
	p.root.says(text)
	p.look("dialpad-phones", p.root, p.root)
	p.quiet()
}

// pageAgain opens our page at the top of a tab, where reload, back and forward have no launch token.
func (p *person) pageAgain(t *testing.T) {
	p.on(t)
	token, err := p.w.crmSandbox.Token("acme", "42", "page", nil)
	p.w.must(err)
	p.crm("acme", "/contacts")
	p.root.until(fmt.Sprintf(`(() => {
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
	})()`, p.w.appURL+"/apps/dialpad", token))
	p.root.until(connectedPage)
	p.look("app-top-level", p.root, p.root)
	for range 2 {
		p.root.until(`(() => { document.title = "before"; location.reload(); return true; })()`)
		p.root.until(`document.title !== "before" && ` + connectedPage)
	}
	p.root.press(`a[href="/texts"]`)
	p.root.until(`location.pathname === "/texts" && document.querySelector("#batches a")`)
	p.look("outbox-top-level", p.root, p.root)
	p.root.until(`(() => { history.back(); return true; })()`)
	p.root.until(`location.pathname === "/apps/dialpad" && ` + connectedPage)
	p.quiet()
}

func (p *person) bulk(t *testing.T) {
	p.on(t)
	p.w.fast(p.w.appPage("acme", "42"))
	p.crm("acme", "/deals")
	p.root.press("[data-page-all]")
	p.root.press("[data-text]")
	popup := p.frame("/embed/popup")
	popup.says("will get it")
	popup.write("#message", "Hi {{Contact.firstName}}, about {{Deal.title}}: is Tuesday fine?")
	popup.until(`!document.querySelector("#preview").hidden && document.querySelector("#preview .bubble").textContent.startsWith("Hi Marta, about Harbor")`)
	p.look("popup-bulk", p.root, popup)
	popup.press(`[aria-controls="left-out"]`)
	popup.until(`!document.querySelector("#left-out").hidden`)
	p.look("popup-bulk-left-out", p.root, popup)
	popup.press(`[data-step=next]`)
	popup.until(`!document.querySelector("#preview .bubble").textContent.startsWith("Hi Marta")`)
	before := p.w.dialpadSandbox.Accepted()
	label, err := browsertest.Eval[string](popup.ctx, `document.querySelector("#send span").textContent`)
	p.w.must(err)
	popup.press("#send")
	popup.until(`document.querySelector("#progress [role=progressbar]")`)
	p.look("popup-bulk-progress", p.root, popup)
	popup.until(`document.querySelector("#progress").dataset.state === "done"`)
	popup.until(`!document.querySelector("#progress").innerText.includes(" sent")`) // each of them delivered
	p.look("popup-bulk-done", p.root, popup)
	if sent := p.w.dialpadSandbox.Accepted() - before; fmt.Sprintf("Send to %d", sent) != label {
		t.Errorf("%d were texted; the button said %q", sent, label)
	}
	popup.pressText("Close")
	p.root.pressText("Texts")
	p.root.until(`location.pathname === "/texts"`)
	f := p.frame("/texts")
	f.says("Hi {{Contact.firstName}}, about {{Deal.title}}")
	p.look("outbox", p.root, f)
	f.press(`#batches a`)
	f.until(`document.querySelectorAll("#one tbody tr").length > 3`)
	p.look("outbox-batch", p.root, f)
	f.pressText("Receipt")
	f.until(`document.querySelector("#receipt").open`)
	p.look("outbox-receipt", p.root, f)
	if twice := p.w.dialpadSandbox.TextedTwice(); len(twice) > 0 {
		t.Errorf("texted twice: %v", twice)
	}
	p.quiet()
}

func (p *person) leaving(t *testing.T) {
	p.on(t)
	p.crm("acme", "/apps/dialpad")
	f := p.frame("/apps/dialpad")
	f.until(connectedPage)
	f.press("#next")
	f.until(`document.querySelector("#settings").open`)
	p.look("app-settings", p.root, f)
	f.write("#set-opt", "Reply STOP to unsubscribe")
	f.press("#settings button.primary")
	f.says("Settings saved.")
	f.press(`[aria-haspopup=menu]`)
	f.pressText("Disconnect")
	f.until(`document.querySelector("#confirm").open`)
	p.look("app-disconnect", p.root, f)
	f.press("#confirm .danger")
	f.says("Dialpad is disconnected.")
	p.look("app-disconnected", p.root, f)
	popup := p.text("7")
	popup.says(connectMessage)
	if got, _ := browsertest.Eval[string](popup.ctx, `document.querySelector("#state a").href`); !strings.HasSuffix(got, "/#/app/setup/apps/dialpad") {
		t.Errorf("Click here leads to %q", got)
	}
	p.look("popup-not-connected", p.root, popup)
	p.quiet()
}
