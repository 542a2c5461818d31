//go:build !race

package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"dialpad-texting/integrations/browsertest"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
)

// TestAPersonInTroubleInABrowser is everything that goes wrong around one text, in a world that is connected.
func TestAPersonInTroubleInABrowser(t *testing.T) {
	p := inBrowser(t)
	p.w.fast(p.w.connected())
	for _, part := range []struct {
		name string
		play func(*testing.T)
	}{
		{"a double click sends one text", p.doubleClick},
		{"a text by keyboard alone", p.keyboard},
		{"a popup closed in the middle", p.closedEarly},
		{"what was written survives a closed popup", p.draftKept},
		{"a network that is gone", p.offline},
		{"an answer that was lost", p.answerLost},
		{"an answer that takes its time", p.impatient},
		{"a session that is over renews itself", p.renewed},
		{"the CRM does not answer", p.crmDown},
		{"Dialpad refuses", p.refused},
		{"a text that does not arrive", p.undelivered},
		{"an outcome that nobody knows", p.uncertain},
		{"the plan is lost while writing", p.planLost},
	} {
		t.Run(part.name, part.play)
	}
}

func (v *view) settled(state string) {
	v.p.t.Helper()
	v.until(fmt.Sprintf(`document.querySelector("#progress").dataset.state === %q`, state))
}

// sent counts how often a text was accepted, whoever got it.
func (p *person) sent(text string) (n int) {
	for _, one := range p.w.dialpadSandbox.Texts() {
		if one.Text == text {
			n++
		}
	}
	return n
}

// sentOnce waits until a text is on a phone and checks that it came once.
func (p *person) sentOnce(text string) {
	p.t.Helper()
	p.w.until("the phone has it", func() bool { return p.sent(text) > 0 })
	if n := p.sent(text); n != 1 {
		p.t.Errorf("%q was texted %d times", text, n)
	}
}

func (p *person) doubleClick(t *testing.T) {
	p.on(t)
	popup := p.text("2")
	popup.write("#message", "Double")
	popup.until(`(() => { const send = document.querySelector("#send"); send.click(); send.click(); return true; })()`)
	popup.settled("delivered")
	p.sentOnce("Double")
	if list := p.w.crmSandbox.Activities("acme"); len(list) != 1 {
		t.Errorf("the timeline has %d texts", len(list))
	}
	p.quiet()
}

// key is a key as a keyboard sends it: one event down, with its text, and one up. (chromedp's KeyEvent sends the text
// apart, and then it reaches whatever has got the focus meanwhile.)
func (v *view) key(name, text string, modifiers int64) {
	v.p.t.Helper()
	codes := map[string]int64{"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40}
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

func (p *person) keyboard(t *testing.T) {
	p.on(t)
	p.crm("acme", "/contacts/7")
	p.root.until(`document.querySelector("[data-dialpad-number][aria-haspopup]")`)
	p.root.do(chromedp.Focus(chromedp.CSS(".facts [data-dialpad-number]")))
	p.root.key("Enter", "\r", 0)
	p.root.until(`document.activeElement.getAttribute("role") === "menuitem" && document.activeElement.innerText === "Text"`)
	p.root.key("ArrowDown", "", 0)
	p.root.until(`document.activeElement.innerText === "Call"`)
	p.root.key("Escape", "", 0)
	p.root.until(`!document.querySelector("[role=menu]") && document.activeElement.matches("[data-dialpad-number]")`)
	p.root.key("Enter", "\r", 0)
	p.root.key("Enter", "\r", 0)
	popup := p.frame("/embed/popup")
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
	popup.settled("delivered")
	popup.until(`document.activeElement.innerText === "Close"`) // however often it was drawn anew
	p.sentOnce("Thank you, Bob! Ana Bye")
	popup.key("Escape", "", 0)
	p.root.until(`!document.querySelector("dialog[open]") && document.activeElement.matches("[data-dialpad-number]")`)
	p.quiet()
}

func (p *person) closedEarly(t *testing.T) {
	p.on(t)
	popup := p.text("10")
	popup.write("#message", "On its way")
	popup.until(`(() => { document.querySelector("#send").click(); document.querySelector("#close").click(); return true; })()`)
	p.root.until(`!document.querySelector("dialog[open]")`)
	p.sentOnce("On its way")
	p.root.until(`[...document.querySelectorAll(".timeline li")].some((one) => one.innerText.includes("On its way") && one.innerText.includes("Delivered"))`)
	p.root.press(".facts [data-dialpad-number]")
	p.root.pressText("Text")
	popup.until(`document.querySelector("#progress").dataset.state === "delivered" || document.querySelector("#message").value === ""`)
	p.quiet()
}

func (p *person) draftKept(t *testing.T) {
	p.on(t)
	popup := p.text("12")
	popup.write("#message", "Half a sen")
	popup.press("#close")
	p.root.press(".facts [data-dialpad-number]")
	p.root.pressText("Text")
	popup.until(`document.querySelector("#message").value === "Half a sen"`)
	popup.write("#message", "")
	p.quiet()
}

func (v *view) network(gone bool) {
	v.p.t.Helper()
	call(v, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
		{Offline: gone, DownloadThroughput: -1, UploadThroughput: -1}}})
	call(v, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: gone, DownloadThroughput: -1, UploadThroughput: -1})
}

func (p *person) offline(t *testing.T) {
	p.on(t)
	popup := p.text("17")
	popup.write("#message", "From a tunnel")
	popup.network(true)
	popup.press("#send")
	popup.says("press Send again, it can't go out twice")
	p.look("popup-offline", p.root, popup)
	popup.network(false)
	popup.press("#send")
	popup.settled("delivered")
	p.sentOnce("From a tunnel")

	popup.pressText("Write another")
	popup.write("#message", "Into a tunnel")
	popup.press("#send")
	popup.until(`document.querySelector("#progress").dataset.state`)
	popup.network(true)
	p.sentOnce("Into a tunnel") // goes on without the window
	popup.says("The text goes on without this window")
	popup.network(false)
	popup.settled("delivered")
	p.quiet()
}

// spoil does something else with the next answer to calls of an address; then all is well again.
func (v *view) spoil(address string, how func(id fetch.RequestID) error) {
	v.p.t.Helper()
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

func (p *person) answerLost(t *testing.T) {
	p.on(t)
	popup := p.text("18")
	popup.write("#message", "Did it go?")
	popup.spoil("/embed/api/batches", func(id fetch.RequestID) error {
		_, err := chromedp.Call(popup.ctx, fetch.FailRequest, fetch.FailRequestParams{RequestID: id, ErrorReason: network.ErrorReasonConnectionReset})
		return err
	})
	popup.press("#send")
	popup.says("press Send again, it can't go out twice")
	p.sentOnce("Did it go?")
	// Another text, or another time, would be a second one: only the same can be sent again, also after it was closed.
	popup.until(`document.querySelector("#message").closest("[inert]") && document.querySelector("#later").disabled && document.querySelector("#send").innerText.startsWith("Send again")`)
	p.look("popup-answer-lost", p.root, popup)
	popup = p.text("18")
	popup.until(`document.querySelector("#message").closest("[inert]") && document.querySelector("#message").value === "Did it go?"`)
	popup.pressText("Change it all the same: the first one may have gone")
	popup.until(`!document.querySelector("#message").closest("[inert]")`) // and unchanged it is the same text
	popup.press("#send")
	popup.settled("delivered")
	p.sentOnce("Did it go?")
	p.quiet()
}

// impatient presses whatever there is to press while the answer is under way: one text goes.
func (p *person) impatient(t *testing.T) {
	p.on(t)
	popup := p.text("23")
	popup.write("#message", "Once will do")
	arrived, goOn := make(chan struct{}), make(chan struct{})
	popup.spoil("/embed/api/batches", func(id fetch.RequestID) error {
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
	popup.settled("delivered")
	p.sentOnce("Once will do")
	p.quiet()
}

func (p *person) renewed(t *testing.T) {
	p.on(t)
	popup := p.text("19")
	popup.write("#message", "Still here")
	popup.spoil("/embed/api/batches", func(id fetch.RequestID) error {
		_, err := chromedp.Call(popup.ctx, fetch.FulfillRequest, fetch.FulfillRequestParams{RequestID: id, ResponseCode: 401,
			Body:            []byte(`{"error":{"code":"session_over","message":"Your session is over.","details":{}}}`),
			ResponseHeaders: []*fetch.HeaderEntry{{Name: "Content-Type", Value: "application/json"}}})
		return err
	})
	before, err := browsertest.Eval[string](popup.ctx, `document.querySelector("meta[name=session-token]").content`)
	p.w.must(err)
	popup.press("#send")
	popup.settled("delivered")
	popup.until(`document.querySelector("meta[name=session-token]").content !== ` + browsertest.Quoted(before))
	p.sentOnce("Still here")
	p.quiet()
}

func (p *person) crmDown(t *testing.T) {
	p.on(t)
	p.w.crmSandbox.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
	defer p.w.crmSandbox.Mend()
	popup := p.text("20")
	popup.until(`!document.querySelector("#compose").hidden`) // a text without variables needs no CRM
	popup.press("#template")
	popup.until(`document.querySelector("#templates [role=status]").innerText.length > 20`)
	p.look("popup-crm-down", p.root, popup)
	p.quiet()
}

func (p *person) refused(t *testing.T) {
	p.on(t)
	p.w.dialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.Forbidden, Path: "/api/v2/sms", Times: 1})
	popup := p.text("6")
	popup.write("#message", "Not this one")
	popup.press("#send")
	popup.settled("failed")
	p.look("popup-failed", p.root, popup)
	popup.pressText("Edit and try again")
	popup.until(`document.querySelector("#message").value === "Not this one"`)
	popup.press("#send")
	popup.settled("delivered")
	p.sentOnce("Not this one")
	p.quiet()
}

func (p *person) undelivered(t *testing.T) {
	p.on(t)
	p.w.dialpadSandbox.SetDeliveryResult("+16265550135", "invalid_destination")
	defer p.w.dialpadSandbox.SetDeliveryResult("+16265550135", "")
	popup := p.text("21")
	popup.write("#message", "To nobody")
	popup.press("#send")
	popup.settled("undelivered")
	popup.says("invalid_destination")
	p.look("popup-undelivered", p.root, popup)
	p.quiet()
}

func (p *person) uncertain(t *testing.T) {
	p.on(t)
	p.w.dialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.EventsOff})
	p.w.dialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.DropAfterAccepting, Path: "/api/v2/sms", Times: 1})
	popup := p.text("25")
	popup.write("#message", "Maybe")
	popup.press("#send")
	popup.settled("uncertain")
	p.w.dialpadSandbox.ClearFaults()
	p.sentOnce("Maybe")
	p.look("popup-uncertain", p.root, popup)
	popup.pressText("Send again…")
	popup.says("the person could get it twice")
	popup.pressText("Send it again anyway")
	popup.settled("delivered")
	if n := p.sent("Maybe"); n != 2 {
		t.Errorf("after a deliberate second time it was texted %d times", n)
	}
	p.quiet()
}

func (p *person) planLost(t *testing.T) {
	p.on(t)
	popup := p.text("27")
	popup.write("#message", "Too late")
	p.plan("starter")
	popup.press("#send")
	popup.says(connectMessage)
	p.look("popup-plan-lost", p.root, popup)
	p.plan("business")
	popup.pressText("Check again")
	popup.until(`document.querySelector("#message").checkVisibility() && document.querySelector("#message").value === "Too late"`)
	p.quiet()
}
