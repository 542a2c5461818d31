//go:build !race

package browser

import "testing"

// TestOutboxEditsHoldsAndResumesAScheduleInABrowser finds a schedule, edits it by
// keyboard, and resumes it after the plan held it.
func TestOutboxEditsHoldsAndResumesAScheduleInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.Connect().SaveSettings(map[string]any{"quiet_hours": map[string]string{"from": "20:00", "to": "08:00"}})
	popup := b.openPopup("7")
	popup.write("#message", "See you\nمرحبا 😀 <b>tomorrow</b>")
	popup.press("#later")
	popup.until(`!document.querySelector("#schedule").hidden`)
	b.checkAppearance("popup-schedule", b.root, popup)
	popup.press("#send")
	popup.waitState("scheduled")
	b.checkAppearance("popup-scheduled", b.root, popup)

	b.openCRM("acme", "/texts")
	f := b.frame("/texts")
	f.write("#f-q", "nowhere")
	f.waitText("No text matches these filters.")
	f.pressText("Clear filters")
	f.until(`document.activeElement.id === "f-q" && document.querySelector("#batches a")`)
	f.press("#batches a")
	f.until(`document.querySelector("[data-act=edit]")`)
	f.until(`(() => { document.querySelector("[data-act=edit]").focus(); return true; })()`)
	f.key("Enter", "\r", 0)
	f.until(`document.querySelector("#edit").open`)
	f.until(`(() => { const e = document.querySelector("#edit input[type=datetime-local]"); e.value = e.value.slice(0, 11) + "23:00"; e.dispatchEvent(new Event("input", { bubbles: true })); return true; })()`)
	f.waitText("This is in their quiet hours, 8:00 PM to 8:00 AM in New York.")
	b.checkAppearance("outbox-edit", b.root, f)
	f.key("Escape", "", 0)
	f.until(`!document.querySelector("#edit").open && document.activeElement.dataset.act === "edit" && !document.activeElement.disabled`)

	b.plan("starter")
	f.waitText("On hold")
	b.checkAppearance("outbox-held", b.root, f)
	f.until(`document.querySelector("[data-act=edit]")`)
	b.plan("business")
	f.press("[data-act=resume]")
	f.until(`document.querySelector(".badge").textContent === "Scheduled" && document.querySelector("[data-act=edit]")`)
	b.wantCleanConsole()
}

// plan moves the tenant to another plan; the CRM sends the event.
func (b *browser) plan(key string) {
	b.t.Helper()
	b.d.CRMSandbox.SetPlan("acme", key)
	b.d.Must(b.d.CRMSandbox.SendEvent(b.t.Context(), "acme", "plan.changed", nil))
}
