//go:build !race

package browser

import (
	"strings"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
)

// inDays is a schedule some days from now, at 14:00 in New York.
func inDays(n int) map[string]any {
	return map[string]any{"local": time.Now().AddDate(0, 0, n).Format("2006-01-02") + "T14:00", "time_zone": "America/New_York"}
}

// bulkOf opens the popup for some contacts.
func (b *browser) bulkOf(contacts ...string) *demotest.Page {
	b.t.Helper()
	return b.d.Popup("42", crm.LaunchTarget{Mode: "bulk", Module: "contact", RecordIDs: contacts})
}

// TestALostPlanIsNamedAndResumedTogetherInABrowser loses the plan with
// three schedules, and gets it back.
func TestALostPlanIsNamedAndResumedTogetherInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.Connect()
	for i, key := range []string{"a", "b", "c"} {
		b.d.Popup("42", demotest.Bob()).CreateBatch(key, map[string]any{"message": "Soon", "schedule": inDays(i + 2)})
	}
	b.plan("starter")
	b.openCRM("acme", "/apps/dialpad")
	f := b.frame("/apps/dialpad")
	f.waitText("your plan, Starter, doesn't include Dialpad")
	f.waitText("3 sends are on hold: Your plan no longer includes Dialpad.")
	f.waitText("The plan does not include Dialpad.") // of each person
	f.until(`!document.querySelector("#people").innerText.includes("Can text") && !document.querySelector("#badges .good")`)
	b.checkAppearance("app-plan-lost", b.root, f)
	b.switchUser("43")
	f = b.frame("/apps/dialpad")
	f.waitText("Your plan, Starter, doesn't include texting with Dialpad. Ask an administrator of Acme Inc.")
	b.checkAppearance("app-user-plan-lost", b.root, f)
	b.switchUser("44")
	b.plan("business")
	b.openCRM("acme", "/apps/dialpad")
	f = b.frame("/apps/dialpad")
	f.waitText("No active Dialpad account has your e-mail, cleo@acme.com.")
	b.switchUser("45")
	f = b.frame("/apps/dialpad")
	f.waitText("has no number to text from")
	b.switchUser("42")
	f = b.frame("/apps/dialpad")
	f.waitText("Stopped while your plan had no Dialpad. It's back.")
	f.until(`document.querySelector("#to-outbox").innerText.includes("3")`)
	b.checkAppearance("app-plan-back", b.root, f)
	f.pressText("Resume all (3)")
	f.waitText("3 resumed.")
	f.until(`!document.querySelector("#attention .warn") && !document.querySelector("#to-outbox .badge")`)
	b.checkAppearance("app-resumed", b.root, f)

	b.openCRM("acme", "/texts")
	f = b.frame("/texts")
	f.press("#batches a")
	f.waitText("Resumed by Ana Ruiz")
	f.until(`(() => { const said = [...document.querySelectorAll(".line li")].map((one) => one.innerText); return said[0].startsWith("Created by Ana Ruiz") && said[1].startsWith("Scheduled for ") && said[2].startsWith("Put on hold: Your plan no longer includes Dialpad") && said[3].startsWith("Resumed by Ana Ruiz"); })()`)
	b.checkAppearance("outbox-timeline", b.root, f)
	b.wantCleanConsole()
}

// TestAScheduledBulkCountsAsItsPreviewInABrowser schedules a bulk of which
// one person is left out, removes another, cancels it, and finds its people.
func TestAScheduledBulkCountsAsItsPreviewInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	popup := b.bulkOf("1", "2", "4", "5", "6", "7", "8", "10", "12", "14", "17", "18")
	_, path := popup.CreateBatch("k", map[string]any{"message": "Hi {{Contact.firstName}}", "schedule": inDays(3)})
	b.d.Until("its people are counted", func() bool { return popup.Get(path).At("batch.counts.skipped") == 1.0 })

	b.openCRM("acme", "/texts")
	f := b.frame("/texts")
	f.press("#batches a")
	f.until(`document.querySelector("#one").innerText.includes("0 of 11")`)
	f.until(`[...document.querySelectorAll(".tabs button")].map((one) => one.innerText).join() === "All 12,Waiting 11,Left out 1"`)
	b.root.until(`location.search.startsWith("?batch=")`) // the CRM's address follows
	b.root.until(`(() => { document.title = "before"; location.reload(); return true; })()`)
	b.root.until(`document.title !== "before"`)
	f = b.frame("/texts")
	f.until(`document.querySelectorAll("#one tbody tr").length === 12`) // and not the list
	f.write("#one input[type=search]", "marta")
	f.until(`document.querySelectorAll("#one tbody tr").length === 1 && document.querySelector("#one tbody").innerText.includes("Marta Lindqvist")`)
	b.checkAppearance("outbox-people-searched", b.root, f)
	f.press(`#one tbody [data-act^="choice-"]`)
	f.until(`document.querySelector("#one").innerText.includes("0 of 10")`)
	f.press("[data-act=cancel]")
	f.waitText("10 texts that are still waiting won't go out.")
	f.press("#confirm .danger")
	f.until(`document.querySelector("#one .badge").textContent === "Cancelled"`)
	b.d.Until("its people are stored", func() bool {
		return strings.Count(popup.Do("GET", path+"/messages", nil, "Accept", "text/csv").Body, "Cancelled by Ana Ruiz") == 10
	})
	csv := popup.Do("GET", path+"/messages", nil, "Accept", "text/csv").Body
	if strings.Contains(csv, "'+1") || !strings.Contains(csv, ",+14155550142,") {
		t.Errorf("the numbers of the report: %s", csv)
	}
	f.until(`(() => { const i = document.querySelector("#one input[type=search]"); i.value = ""; i.dispatchEvent(new Event("input")); return true; })()`)
	f.until(`document.querySelectorAll("#one tbody tr").length === 12`)
	f.waitText("Cancelled by Ana Ruiz")
	b.checkAppearance("outbox-cancelled", b.root, f)

	f.pressText("Duplicate")
	f.until(`document.querySelector("#edit").open && document.querySelector("#edit-text").value === "Hi {{Contact.firstName}}"`)
	b.checkAppearance("outbox-duplicate", b.root, f)
	f.write("#edit-text", "Once more")
	f.press(`#edit [value=now]`)
	f.press("#edit .primary")
	f.until(`document.querySelector("#one .badge")?.textContent === "Done" && document.querySelector("#one .quote").innerText === "Once more"`)
	b.d.Until("they have it", func() bool { return b.countSent("Once more") == 10 }) // who was left out stays so
	b.wantCleanConsole()
}

// TestAWaitSaysWhyAndUntilWhenInABrowser meets Dialpad's limit, a refusal, the
// filters and the figures.
func TestAWaitSaysWhyAndUntilWhenInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	b.d.DialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.Forbidden, Path: "/api/v2/sms", Times: 1})
	_, path := b.d.Popup("42", demotest.Bob()).CreateBatch("refused", map[string]any{"message": "Refused"})
	page := b.d.Outbox("42")
	b.d.Until("it failed", func() bool { return page.Get(path).At("batch.counts.failed") == 1.0 })
	b.d.DialpadSandbox.Fault(dialpadsandbox.Fault{Kind: dialpadsandbox.TooManyRequests, Path: "/api/v2/sms", Times: 1, RetryAfter: 20 * time.Minute})
	_, path = b.d.Popup("42", demotest.Bob()).CreateBatch("limited", map[string]any{"message": "Limited"})
	b.d.Until("it waits", func() bool { return page.Get(path).Text("batch.wait.code") == "rate_limited" })

	b.openCRM("acme", "/texts")
	f := b.frame("/texts")
	f.waitText("Dialpad asks us to wait: next try at ")
	f.waitText("1 of your texts failed.")
	b.checkAppearance("outbox-attention", b.root, f)
	f.press("#batches a")
	f.until(`document.querySelector("#one .wait").innerText.startsWith("Dialpad asks us to wait: next try at ")`)
	f.press("[data-act^=receipt]")
	f.until(`document.querySelector("#receipt .wait")?.innerText.startsWith("Dialpad asks us to wait: next try at ")`)
	b.checkAppearance("outbox-receipt-waits", b.root, f)
	f.pressText("Close")
	f.pressText("All texts")
	f.pressText("Show")
	f.until(`document.querySelectorAll("#batches li").length === 1 && document.querySelector("#f-state").value === "failed"`)
	f.pressText("Dismiss")
	f.until(`!document.querySelector("#attention").innerText`)
	f.write("#f-sender", "ben")
	f.until(`document.querySelectorAll("#f-sender-list [role=option]").length === 1`)
	b.checkAppearance("outbox-filters", b.root, f)
	f.press("#f-sender-list [role=option]")
	f.waitText("No text matches these filters.")
	f.pressText("Clear filters")
	f.until(`document.querySelectorAll("#batches li").length === 2 && document.querySelector("#f-sender").value === ""`)
	f.until(`(() => { const e = document.querySelector("#f-from"); e.value = "2031-01-01"; e.dispatchEvent(new Event("input", { bubbles: true })); return true; })()`)
	f.waitText("No text matches these filters.")
	f.pressText("Clear filters")
	f.until(`document.querySelectorAll("#batches li").length === 2`)
	f.pressText("Figures")
	f.until(`document.querySelector(".chart .failed") && document.querySelector(".numbers").innerText.includes("100%")`)
	f.press("summary")
	b.checkAppearance("outbox-figures", b.root, f)
	b.wantCleanConsole()
}

// TestSettingsSayWhatIsWrongInABrowser finds a country, is refused a number,
// and leaves a dialog by keyboard.
func TestSettingsSayWhatIsWrongInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.Connect()
	b.openCRM("acme", "/apps/dialpad")
	f := b.frame("/apps/dialpad")
	f.until(connectedPage)
	f.press("#next")
	f.until(`document.querySelector("#settings").open && document.querySelector("#set-country").value === "United States"`)
	f.write("#set-country", "germ")
	f.until(`document.querySelectorAll("#set-country-list [role=option]").length === 1`)
	b.checkAppearance("app-settings-country", b.root, f)
	f.press("#set-country-list [role=option]")
	f.until(`document.querySelector("#set-country").value === "Germany"`)
	f.write("#set-reserve", "150")
	f.press("#settings button.primary")
	f.waitText("Enter 0 to 99.")
	f.until(`(() => { const d = document.querySelector("#settings"); return d.scrollWidth <= d.clientWidth; })()`)
	b.checkAppearance("app-settings-wrong", b.root, f)
	f.write("#set-reserve", "50")
	f.press("#settings button.primary")
	f.waitText("Settings saved.")
	if got := b.d.AppPage("acme", "42").Get("/apps/dialpad/status").Text("settings.country"); got != "DE" {
		t.Errorf("the country is %q", got)
	}

	b.openCRM("globex", "/apps/dialpad")
	f = b.frame("/apps/dialpad")
	f.press("#next")
	f.until(`document.querySelector("#upgrade").open`)
	f.pressText("Not now")
	f.until(`!document.querySelector("#upgrade").open && document.activeElement.id === "next"`)
	b.wantCleanConsole()
}
