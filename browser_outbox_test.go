//go:build !race

package main

import "testing"

// TestAScheduleInTheOutboxInABrowser is a day of one schedule: found, looked at by keyboard, held, and resumed.
func TestAScheduleInTheOutboxInABrowser(t *testing.T) {
	p := inBrowser(t)
	p.w.connected()
	popup := p.text("7")
	popup.write("#message", "See you\nمرحبا 😀 <b>tomorrow</b>")
	popup.press("#later")
	popup.until(`!document.querySelector("#schedule").hidden`)
	p.look("popup-schedule", p.root, popup)
	popup.press("#send")
	popup.settled("scheduled")
	p.look("popup-scheduled", p.root, popup)

	p.crm("acme", "/texts")
	f := p.frame("/texts")
	f.write("#f-q", "nowhere")
	f.says("No text fits these filters.")
	f.pressText("Clear the filters")
	f.until(`document.activeElement.id === "f-q" && document.querySelector("#batches a")`)
	f.press("#batches a")
	f.until(`document.querySelector("[data-act=edit]")`)
	f.until(`(() => { document.querySelector("[data-act=edit]").focus(); return true; })()`)
	f.key("Enter", "\r", 0)
	f.until(`document.querySelector("#edit").open`)
	f.until(`(() => { const e = document.querySelector("#edit input[type=datetime-local]"); e.value = e.value.slice(0, 11) + "23:00"; e.dispatchEvent(new Event("input", { bubbles: true })); return true; })()`)
	f.says("This is in the quiet hours, 20:00 to 08:00 in New York.")
	p.look("outbox-edit", p.root, f)
	f.key("Escape", "", 0)
	f.until(`!document.querySelector("#edit").open && document.activeElement.dataset.act === "edit" && !document.activeElement.disabled`)

	p.plan("starter")
	f.says("On hold")
	p.look("outbox-held", p.root, f)
	f.until(`document.querySelector("[data-act=edit]")`)
	p.plan("business")
	f.press("[data-act=resume]")
	f.until(`document.querySelector(".badge").textContent === "Scheduled" && document.querySelector("[data-act=edit]")`)
	p.quiet()
}

// plan moves the tenant to another plan, as the CRM tells it.
func (p *person) plan(key string) {
	p.t.Helper()
	p.w.crmSandbox.SetPlan("acme", key)
	p.w.must(p.w.crmSandbox.SendEvent(p.t.Context(), "acme", "plan.changed", nil))
}
