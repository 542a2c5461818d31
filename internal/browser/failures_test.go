//go:build !race

package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/browsertest"
	"dialpad-texting/internal/demotest"
)

// TestFailuresAroundOneTextInABrowser tests what can go wrong around one text
// once Dialpad is connected.
func TestFailuresAroundOneTextInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	for _, part := range []struct {
		name string
		play func(*testing.T)
	}{
		{"a double click sends one text", b.doubleClick},
		{"a text by keyboard alone", b.keyboard},
		{"a popup closed in the middle", b.closedEarly},
		{"what was written survives a closed popup", b.draftKept},
		{"a network that is gone", b.offline},
		{"an answer that was lost", b.answerLost},
		{"an answer that takes its time", b.clicksWhileSending},
		{"a session that is over renews itself", b.sessionRenewed},
		{"the CRM does not answer", b.crmDown},
		{"Dialpad refuses", b.refused},
		{"a text that does not arrive", b.undelivered},
		{"an outcome that nobody knows", b.uncertain},
		{"the plan is lost while writing", b.planLost},
	} {
		t.Run(part.name, part.play)
	}
}

func (v *view) waitState(state string) {
	v.b.t.Helper()
	v.until(fmt.Sprintf(`document.querySelector("#progress").dataset.state === %q`, state))
}

// countSent counts how often a text was accepted, whoever got it.
func (b *browser) countSent(text string) (n int) {
	for _, one := range b.d.DialpadSandbox.Texts() {
		if one.Text == text {
			n++
		}
	}
	return n
}

// wantSentOnce waits until a text is on a phone and checks that it came once.
func (b *browser) wantSentOnce(text string) {
	b.t.Helper()
	b.d.Until("the phone has it", func() bool { return b.countSent(text) > 0 })
	if n := b.countSent(text); n != 1 {
		b.t.Errorf("%q was texted %d times", text, n)
	}
}

func (b *browser) doubleClick(t *testing.T) {
	b.useT(t)
	popup := b.openPopup("2")
	popup.write("#message", "Double")
	popup.until(`(() => { const send = document.querySelector("#send"); send.click(); send.click(); return true; })()`)
	popup.waitState("delivered")
	b.wantSentOnce("Double")
	b.d.Until("the timeline has the text", func() bool { return len(b.d.CRMSandbox.Activities("acme")) == 1 })
	b.wantCleanConsole()
}

// key is a key as a keyboard sends it: one event down, with its text, and one
// up. (chromedp's KeyEvent sends the text apart, and then it reaches whatever
// has got the focus meanwhile.)
func (v *view) key(name, text string, modifiers int64) {
	v.b.t.Helper()
	codes := map[string]int64{"Enter": 13, "Backspace": 8, "Tab": 9, "Escape": 27, "ArrowDown": 40}
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		call(v, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: name, Code: name, Text: text, Modifiers: modifiers,
			WindowsVirtualKeyCode: codes[name], NativeVirtualKeyCode: codes[name]})
		text = ""
	}
}

const (
	ctrl  = 2
	shift = 8
)

func (b *browser) keyboard(t *testing.T) {
	b.useT(t)
	b.openCRM("acme", "/contacts/7")
	b.root.until(`document.querySelector("[data-dialpad-number][aria-haspopup]")`)
	b.root.do(chromedp.Focus(chromedp.CSS(".facts [data-dialpad-number]")))
	b.root.key("Enter", "\r", 0)
	b.root.until(`document.activeElement.getAttribute("role") === "menuitem" && document.activeElement.innerText === "Text"`)
	b.root.key("ArrowDown", "", 0)
	b.root.until(`document.activeElement.innerText === "Call"`)
	b.root.key("Escape", "", 0)
	b.root.until(`!document.querySelector("[role=menu]") && document.activeElement.matches("[data-dialpad-number]")`)
	b.root.key("Enter", "\r", 0)
	b.root.key("Enter", "\r", 0)
	popup := b.frame("/embed/popup")
	popup.until(`document.activeElement.id === "message"`)
	popup.key("Tab", "", shift)
	popup.until(`document.activeElement.id === "template"`)
	popup.do(chromedp.KeyEvent("thank you"))
	popup.until(`document.querySelectorAll("#template-list [role=option]").length === 2 && document.querySelector("#template-list .on")?.innerText.startsWith("Thanks")`)
	popup.key("ArrowDown", "", 0)
	popup.until(`document.querySelector("#template-list .on").innerText.startsWith("Thank you")`)
	popup.key("Enter", "\r", 0)
	popup.until(`document.activeElement.id === "message" && document.activeElement.value === "Thank you, Bob! Ana"`)
	popup.do(chromedp.KeyEvent(" Bye"))
	popup.until(`document.activeElement.value === "Thank you, Bob! Ana Bye"`)
	popup.key("Enter", "", ctrl)
	popup.until(`(() => { const close = document.querySelector("#progress [data-act='follow.close']"); close?.focus(); return close; })()`)
	popup.waitState("delivered")
	popup.until(`document.activeElement.innerText === "Close"`) // however often it was drawn anew
	b.wantSentOnce("Thank you, Bob! Ana Bye")
	popup.key("Escape", "", 0)
	b.root.until(`!document.querySelector("dialog[open]") && document.activeElement.matches("[data-dialpad-number]")`)
	b.wantCleanConsole()
}

func (b *browser) closedEarly(t *testing.T) {
	b.useT(t)
	popup := b.openPopup("10")
	popup.write("#message", "On its way")
	popup.until(`(() => { document.querySelector("#send").click(); document.querySelector("#close").click(); return true; })()`)
	b.root.until(`!document.querySelector("dialog[open]")`)
	b.wantSentOnce("On its way")
	b.root.until(`[...document.querySelectorAll(".timeline li")].some((one) => one.innerText.includes("On its way") && one.innerText.includes("Delivered"))`)
	b.root.press(".facts [data-dialpad-number]")
	b.root.pressText("Text")
	popup.until(`document.querySelector("#progress").dataset.state === "delivered" || document.querySelector("#message").value === ""`)
	b.wantCleanConsole()
}

func (b *browser) draftKept(t *testing.T) {
	b.useT(t)
	popup := b.openPopup("12")
	popup.write("#message", "Half a sen")
	popup.press("#close")
	b.root.press(".facts [data-dialpad-number]")
	b.root.pressText("Text")
	popup.until(`document.querySelector("#message").value === "Half a sen"`)
	popup.write("#message", "")
	b.wantCleanConsole()
}

func (v *view) setOffline(gone bool) {
	v.b.t.Helper()
	call(v, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
		{Offline: gone, DownloadThroughput: -1, UploadThroughput: -1}}})
	call(v, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: gone, DownloadThroughput: -1, UploadThroughput: -1})
}

func (b *browser) offline(t *testing.T) {
	b.useT(t)
	popup := b.openPopup("17")
	popup.write("#message", "From a tunnel")
	popup.setOffline(true)
	popup.press("#send")
	popup.waitText("Press Send again; it won't go out twice")
	b.checkAppearance("popup-offline", b.root, popup)
	popup.setOffline(false)
	popup.press("#send")
	popup.waitState("delivered")
	b.wantSentOnce("From a tunnel")

	popup.pressText("Write another")
	popup.write("#message", "Into a tunnel")
	popup.press("#send")
	popup.until(`document.querySelector("#progress").dataset.state`)
	popup.setOffline(true)
	b.wantSentOnce("Into a tunnel") // goes on without the window
	popup.waitText("Sending continues without this window")
	popup.setOffline(false)
	popup.waitState("delivered")
	b.wantCleanConsole()
}

// interceptNext pauses the next response of a path and leaves it to handle;
// later ones pass.
func (v *view) interceptNext(address string, how func(id fetch.RequestID) error) {
	v.b.t.Helper()
	paused := chromedp.Events(v.ctx, fetch.RequestPaused)
	call(v, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "*" + address, RequestStage: fetch.RequestStageResponse}}})
	go func() {
		for e, err := range paused {
			if err != nil || how(e.RequestID) != nil {
				return
			}
			_, _ = chromedp.Call(v.ctx, fetch.Disable, cdp.Empty{})
			return
		}
	}()
}

func (b *browser) answerLost(t *testing.T) {
	b.useT(t)
	popup := b.openPopup("18")
	popup.write("#message", "Did it go?")
	popup.interceptNext("/embed/api/batches", func(id fetch.RequestID) error {
		_, err := chromedp.Call(popup.ctx, fetch.FailRequest, fetch.FailRequestParams{RequestID: id, ErrorReason: network.ErrorReasonConnectionReset})
		return err
	})
	popup.press("#send")
	popup.waitText("Press Send again; it won't go out twice")
	b.wantSentOnce("Did it go?")
	// Another text, or another time, would be a second one: only the same can
	// be sent again, also after it was closed.
	popup.until(`document.querySelector("#message").closest("[inert]") && document.querySelector("#later").disabled && document.querySelector("#send").innerText.startsWith("Send again")`)
	b.checkAppearance("popup-answer-lost", b.root, popup)
	popup = b.openPopup("18")
	popup.until(`document.querySelector("#message").closest("[inert]") && document.querySelector("#message").value === "Did it go?"`)
	popup.pressText("Edit anyway (the first may have been sent)")
	popup.until(`!document.querySelector("#message").closest("[inert]")`) // and unchanged it is the same text
	popup.press("#send")
	popup.waitState("delivered")
	b.wantSentOnce("Did it go?")
	b.wantCleanConsole()
}

// clicksWhileSending clicks everything there is while the response is under
// way: one text goes out.
func (b *browser) clicksWhileSending(t *testing.T) {
	b.useT(t)
	popup := b.openPopup("23")
	popup.write("#message", "Once will do")
	arrived, goOn := make(chan struct{}), make(chan struct{})
	popup.interceptNext("/embed/api/batches", func(id fetch.RequestID) error {
		close(arrived)
		<-goOn
		_, err := chromedp.Call(popup.ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: id})
		return err
	})
	popup.press("#send")
	<-arrived
	popup.until(`(() => { for (const id of ["send", "later", "send"]) document.getElementById(id).click(); return true; })()`)
	popup.key("Enter", "", ctrl)
	popup.until(`document.querySelector("#later").disabled && document.querySelector("#send").disabled && document.querySelector("#later").getAttribute("aria-expanded") !== "true"`)
	close(goOn)
	popup.waitState("delivered")
	b.wantSentOnce("Once will do")
	b.wantCleanConsole()
}

func (b *browser) sessionRenewed(t *testing.T) {
	b.useT(t)
	popup := b.openPopup("19")
	popup.write("#message", "Still here")
	popup.interceptNext("/embed/api/batches", func(id fetch.RequestID) error {
		_, err := chromedp.Call(popup.ctx, fetch.FulfillRequest, fetch.FulfillRequestParams{RequestID: id, ResponseCode: 401,
			Body:            []byte(`{"error":{"code":"session_over","message":"Your session is over.","details":{}}}`),
			ResponseHeaders: []*fetch.HeaderEntry{{Name: "Content-Type", Value: "application/json"}}})
		return err
	})
	before, err := browsertest.Eval[string](popup.ctx, `document.querySelector("meta[name=session-token]").content`)
	b.d.Must(err)
	popup.press("#send")
	popup.waitState("delivered")
	popup.until(`document.querySelector("meta[name=session-token]").content !== ` + browsertest.Quoted(before))
	b.wantSentOnce("Still here")
	b.wantCleanConsole()
}

func (b *browser) crmDown(t *testing.T) {
	b.useT(t)
	b.d.CRMSandbox.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
	defer b.d.CRMSandbox.Mend()
	popup := b.openPopup("20")
	popup.until(`!document.querySelector("#compose").hidden`) // a text without variables needs no CRM
	popup.press("#template")
	popup.until(`document.querySelector("#templates [role=status]").innerText.length > 20`)
	b.checkAppearance("popup-crm-down", b.root, popup)
	b.wantCleanConsole()
}

func (b *browser) refused(t *testing.T) {
	b.useT(t)
	b.d.DialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.Forbidden, Path: "/api/v2/sms", Times: 1})
	popup := b.openPopup("6")
	popup.write("#message", "Not this one")
	popup.press("#send")
	popup.waitState("failed")
	b.checkAppearance("popup-failed", b.root, popup)
	popup.pressText("Edit and try again")
	popup.until(`document.querySelector("#message").value === "Not this one"`)
	popup.press("#send")
	popup.waitState("delivered")
	b.wantSentOnce("Not this one")
	b.wantCleanConsole()
}

func (b *browser) undelivered(t *testing.T) {
	b.useT(t)
	b.d.DialpadSandbox.SetDeliveryResult("+16265550135", "invalid_destination")
	defer b.d.DialpadSandbox.SetDeliveryResult("+16265550135", "")
	popup := b.openPopup("21")
	popup.write("#message", "To nobody")
	popup.press("#send")
	popup.waitState("undelivered")
	popup.waitText("invalid_destination")
	b.checkAppearance("popup-undelivered", b.root, popup)
	b.wantCleanConsole()
}

func (b *browser) uncertain(t *testing.T) {
	b.useT(t)
	b.d.DialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.EventsOff})
	b.d.DialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.DropAfterAccepting, Path: "/api/v2/sms", Times: 1})
	popup := b.openPopup("25")
	popup.write("#message", "Maybe")
	popup.press("#send")
	popup.waitState("uncertain")
	b.d.DialpadSandbox.ClearFaults()
	b.wantSentOnce("Maybe")
	b.checkAppearance("popup-uncertain", b.root, popup)
	popup.pressText("Send again…")
	popup.waitText("the person could get it twice")
	popup.pressText("Send it again anyway")
	popup.waitState("delivered")
	if n := b.countSent("Maybe"); n != 2 {
		t.Errorf("after a deliberate second time it was texted %d times", n)
	}
	b.wantCleanConsole()
}

func (b *browser) planLost(t *testing.T) {
	b.useT(t)
	popup := b.openPopup("27")
	popup.write("#message", "Too late")
	b.plan("starter")
	popup.press("#send")
	popup.waitText(demotest.ConnectMessage)
	b.checkAppearance("popup-plan-lost", b.root, popup)
	b.plan("business")
	popup.pressText("Check again")
	popup.until(`document.querySelector("#message").checkVisibility() && document.querySelector("#message").value === "Too late"`)
	b.wantCleanConsole()
}
