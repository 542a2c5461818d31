//go:build !race

package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/browsertest"
	"dialpad-texting/models/ledger"
)

// TestBulkIsScheduledInABrowser schedules a bulk in the popup and edits it in the
// outbox until it is on the phones.
func TestBulkIsScheduledInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	admin := b.d.Connect()
	b.d.RaiseLimits(admin)
	admin.SaveSettings(map[string]any{"quiet_hours": map[string]string{"from": "20:00", "to": "08:00"}})
	b.openCRM("acme", "/deals")
	b.root.press("[data-page-all]")
	b.root.press("[data-text]")
	popup := b.frame("/embed/popup")
	popup.waitText("will get it")
	popup.write("#message", "Hi {{Contact.firstName}}, see you soon")
	popup.until(`document.querySelector("#send span").textContent.startsWith("Send to ")`)
	label, err := browsertest.Eval[string](popup.ctx, `document.querySelector("#send span").textContent`)
	b.d.Must(err)
	popup.press("#later")
	popup.plan(time.Now().AddDate(0, 0, 3), "23:00")
	popup.waitText("by the clock and the law where they are.")
	b.checkAppearance("popup-bulk-at-night", b.root, popup)
	popup.plan(time.Now().AddDate(0, 0, 3), "14:00")
	popup.until(`document.querySelector("#warnings").hidden`)
	admin.SaveSettings(map[string]any{"quiet_hours": nil}) // it goes whatever the time of day is
	popup.plan(clocksForward(t), "02:30")
	popup.waitText("This time doesn't exist that day. You'll be asked which one you mean.")
	popup.press("#send")
	popup.waitText("2:30 AM doesn't exist that day: the clocks go forward. Which time do you mean?")
	b.checkAppearance("popup-time-missing", b.root, popup)
	popup.press(`#schedule input[type=radio]`)
	popup.until(`/T0[13]:30$/.test(document.querySelector("#schedule input").value)`)
	popup.scheduleIn(5 * time.Minute) // two minutes before, it is made ready
	popup.until(`document.querySelector("#schedule [id$=-words]").innerText.startsWith("To")`)
	popup.press("#send")
	popup.waitState("scheduled")
	b.checkAppearance("popup-bulk-scheduled", b.root, popup)
	popup.pressText("Close")

	b.root.pressText("Texts")
	f := b.frame("/texts")
	f.waitText("Hi [First name], see you soon")
	f.until(`document.querySelector("#batches .badge").textContent === "Scheduled"`)
	b.checkAppearance("outbox-scheduled", b.root, f)
	if n := b.d.DialpadSandbox.SMSPosts(); n != 0 {
		t.Errorf("%d went early", n)
	}
	f.press("#batches a")
	f.until(`document.querySelector("#one tbody").innerText.includes("Leave out")`)
	f.press(`#one tbody [data-act^="choice-"]`)
	f.until(`document.querySelector("#one tbody").innerText.includes("Removed before sending")`)
	f.pressText("Add back")
	f.until(`!document.querySelector("#one tbody").innerText.includes("Removed before sending")`)
	f.press(`#one tbody [data-act^="choice-"]`)
	f.until(`document.querySelector("#one tbody").innerText.includes("Removed before sending")`)
	b.checkAppearance("outbox-schedule-left-out", b.root, f)
	b.moveNewestSchedule(2 * time.Second)
	f.pressText("All texts")
	f.until(`document.querySelector("#batches .badge").textContent === "Done"`)
	f.press("#batches a")
	f.until(`document.querySelectorAll("#one tbody tr").length > 3 && document.querySelector("#one").innerText.includes("Delivered")`)
	b.checkAppearance("outbox-schedule-done", b.root, f)
	texts := b.d.DialpadSandbox.Texts()
	if fmt.Sprintf("Send to %d", len(texts)+1) != label || len(b.d.DialpadSandbox.TextedTwice()) > 0 || strings.Contains(texts[0].Text, "{{") {
		t.Errorf("on the phones: %d texts", len(texts))
	}
	b.wantCleanConsole()
}

// TestScheduleOfASuspendedSenderInABrowser shows an admin that a colleague's
// schedule will fail, and lets another sender take it over.
func TestScheduleOfASuspendedSenderInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	b.openCRM("acme", "/contacts/7")
	b.switchUser("43")
	popup := b.openPopupHere()
	popup.write("#message", "See you on the day")
	popup.press("#later")
	day := time.Now().AddDate(0, 0, 3)
	popup.plan(day, "14:00")
	popup.press("#send")
	popup.waitState("scheduled")
	popup.pressText("Write another") // what waits keeps nobody from writing
	popup.until(`!document.querySelector("#compose").hidden && document.querySelector("#message").value === ""`)
	popup.press("#close")
	b.d.DialpadSandbox.SuspendUser(dialpadsandbox.BenID)
	words := fmt.Sprintf("Ben's Dialpad account is suspended: this will fail on %s.", day.Weekday())

	b.openCRM("acme", "/apps/dialpad")
	b.switchUser("42")
	f := b.frame("/apps/dialpad")
	f.waitText(words)
	b.checkAppearance("app-schedule-fails", b.root, f)
	b.openCRM("acme", "/texts")
	f = b.frame("/texts")
	f.waitText(words)
	b.checkAppearance("outbox-schedule-fails", b.root, f)
	f.press("#batches a")
	f.pressText("Choose another sender")
	f.until(`document.querySelector("#edit").open && document.querySelectorAll("#edit-sender option").length === 2`)
	f.until(`(() => { const s = document.querySelector("#edit-sender"); s.selectedIndex = 1; s.dispatchEvent(new Event("change")); return s.selectedOptions[0].textContent.startsWith("Ana Ruiz"); })()`)
	b.checkAppearance("outbox-another-sender", b.root, f)
	f.pressText("Save")
	f.until(`!document.querySelector("#edit").open && !document.body.innerText.includes("suspended")`)
	f.waitText("from ana@acme.com")
	b.moveNewestSchedule(time.Second)
	b.d.Until("it went from Ana", func() bool { return b.d.DialpadSandbox.AcceptedOf("+14155550142", "See you on the day") == 1 })
	if got := b.d.DialpadSandbox.Texts()[0]; got.From != "+14155550100" {
		t.Errorf("it went from %s", got.From)
	}
	b.wantCleanConsole()
}

// clocksForward is the next day on which New York has no 02:30.
func clocksForward(t *testing.T) time.Time {
	t.Helper()
	loc, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Now().In(loc)
	for {
		if day = day.AddDate(0, 0, 1); time.Date(day.Year(), day.Month(), day.Day(), 2, 30, 0, 0, loc).Hour() != 2 {
			return day
		}
	}
}

// plan writes a day and a time into the open schedule.
func (v *view) plan(day time.Time, clock string) {
	v.b.t.Helper()
	v.scheduleAt(day.Format("2006-01-02") + "T" + clock)
}

// scheduleIn writes a time some way from now into the open schedule, in the
// zone that is chosen there.
func (v *view) scheduleIn(d time.Duration) {
	v.b.t.Helper()
	v.until(`document.querySelector("#schedule [data-zone]")?.value`)
	zone, err := browsertest.Eval[string](v.ctx, `document.querySelector("#schedule [data-zone]").dataset.zone`)
	v.b.d.Must(err)
	loc, err := time.LoadLocation(zone)
	v.b.d.Must(err)
	v.scheduleAt(time.Now().Add(d).In(loc).Format("2006-01-02T15:04"))
}

func (v *view) scheduleAt(local string) {
	v.b.t.Helper()
	v.until(fmt.Sprintf(`(() => { const e = document.querySelector("#schedule input"); if (!e) return false; e.value = %q; e.dispatchEvent(new Event("input", { bubbles: true })); return e.value; })()`, local))
}

// moveNewestSchedule makes the newest schedule due soon, so that the test need
// not wait for minutes.
func (b *browser) moveNewestSchedule(d time.Duration) {
	b.t.Helper()
	list, err := b.d.Program.Store.Batches.ListByState(b.t.Context(), "t_9", []string{ledger.BatchScheduled}, "", 10)
	b.d.Must(err)
	newest := list[len(list)-1]
	b.d.Must(b.d.Program.Store.Batches.Update(b.t.Context(), "t_9", newest.ID, []string{ledger.BatchScheduled},
		map[string]any{"send_at": time.Now().Add(d).UTC(), "local_time": ""}))
}
