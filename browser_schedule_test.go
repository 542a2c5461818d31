//go:build !race

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dialpad-texting/integrations/browsertest"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models/ledger"
)

// TestASchedulePlannedInABrowser is a bulk for later, from the popup to the phones.
func TestASchedulePlannedInABrowser(t *testing.T) {
	p := inBrowser(t)
	p.w.fast(p.w.connected())
	p.crm("acme", "/deals")
	p.root.press("[data-page-all]")
	p.root.press("[data-text]")
	popup := p.frame("/embed/popup")
	popup.says("will get it")
	popup.write("#message", "Hi {{Contact.firstName}}, see you soon")
	popup.until(`document.querySelector("#send span").textContent.startsWith("Send to ")`)
	label, err := browsertest.Eval[string](popup.ctx, `document.querySelector("#send span").textContent`)
	p.w.must(err)
	popup.press("#later")
	popup.plan(time.Now().AddDate(0, 0, 3), "23:00")
	popup.says("of them would get it in the quiet hours, 20:00 to 08:00 where they are.")
	p.look("popup-bulk-at-night", p.root, popup)
	popup.plan(time.Now().AddDate(0, 0, 3), "14:00")
	popup.until(`!document.querySelector("#preview").innerText.includes("quiet hours")`)
	popup.plan(clocksForward(t), "02:30")
	popup.says("This time does not exist that day: you will be asked what you mean.")
	popup.press("#send")
	popup.says("02:30 does not exist that day: the clocks go forward. Which time do you mean?")
	p.look("popup-time-missing", p.root, popup)
	popup.press(`#schedule input[type=radio]`)
	popup.until(`/T0[13]:30$/.test(document.querySelector("#schedule input").value)`)
	popup.in(5 * time.Minute) // two minutes before, it is made ready
	popup.until(`document.querySelector("#schedule [role=status]").innerText.startsWith("To")`)
	popup.press("#send")
	popup.settled("scheduled")
	p.look("popup-bulk-scheduled", p.root, popup)
	popup.pressText("Close")

	p.root.pressText("Texts")
	f := p.frame("/texts")
	f.says("Hi {{Contact.firstName}}, see you soon")
	f.until(`document.querySelector("#batches .badge").textContent === "Scheduled"`)
	p.look("outbox-scheduled", p.root, f)
	if n := p.w.dialpadSandbox.SMSPosts(); n != 0 {
		t.Errorf("%d went early", n)
	}
	f.press("#batches a")
	f.until(`document.querySelector("#one tbody").innerText.includes("Leave out")`)
	f.press(`#one tbody [data-act^="choice-"]`)
	f.until(`document.querySelector("#one tbody").innerText.includes("Left out while the texts waited")`)
	f.pressText("Take in again")
	f.until(`!document.querySelector("#one tbody").innerText.includes("Left out while the texts waited")`)
	f.press(`#one tbody [data-act^="choice-"]`)
	f.until(`document.querySelector("#one tbody").innerText.includes("Left out while the texts waited")`)
	p.look("outbox-schedule-left-out", p.root, f)
	p.nearer(2 * time.Second)
	f.pressText("All texts")
	f.until(`document.querySelector("#batches .badge").textContent === "Done"`)
	f.press("#batches a")
	f.until(`document.querySelectorAll("#one tbody tr").length > 3 && document.querySelector("#one").innerText.includes("Delivered")`)
	p.look("outbox-schedule-done", p.root, f)
	texts := p.w.dialpadSandbox.Texts()
	if fmt.Sprintf("Send to %d", len(texts)+1) != label || len(p.w.dialpadSandbox.TextedTwice()) > 0 || strings.Contains(texts[0].Text, "{{") {
		t.Errorf("on the phones: %d texts", len(texts))
	}
	p.quiet()
}

// TestASenderWhoWillFailInABrowser is what an admin reads of a colleague's schedule, and does about it.
func TestASenderWhoWillFailInABrowser(t *testing.T) {
	p := inBrowser(t)
	p.w.fast(p.w.connected())
	p.crm("acme", "/contacts/7")
	p.become("43")
	popup := p.textHere()
	popup.write("#message", "See you on the day")
	popup.press("#later")
	day := time.Now().AddDate(0, 0, 3)
	popup.plan(day, "14:00")
	popup.press("#send")
	popup.settled("scheduled")
	popup.pressText("Write another") // what waits keeps nobody from writing
	popup.until(`!document.querySelector("#compose").hidden && document.querySelector("#message").value === ""`)
	popup.press("#close")
	p.w.dialpadSandbox.SuspendUser(dialpadsandbox.BenID)
	words := fmt.Sprintf("Ben's Dialpad account is suspended: this will fail on %s.", day.Weekday())

	p.crm("acme", "/apps/dialpad")
	p.become("42")
	f := p.frame("/apps/dialpad")
	f.says(words)
	p.look("app-schedule-fails", p.root, f)
	p.crm("acme", "/texts")
	f = p.frame("/texts")
	f.says(words)
	p.look("outbox-schedule-fails", p.root, f)
	f.press("#batches a")
	f.pressText("Choose another sender")
	f.until(`document.querySelector("#edit").open && document.querySelectorAll("#edit-sender option").length === 2`)
	f.until(`(() => { const s = document.querySelector("#edit-sender"); s.selectedIndex = 1; s.dispatchEvent(new Event("change")); return s.selectedOptions[0].textContent.startsWith("Ana Ruiz"); })()`)
	p.look("outbox-another-sender", p.root, f)
	f.pressText("Save")
	f.until(`!document.querySelector("#edit").open && !document.body.innerText.includes("suspended")`)
	f.says("from ana@acme.com")
	p.nearer(time.Second)
	p.w.until("it went from Ana", func() bool { return p.w.dialpadSandbox.AcceptedOf("+14155550142", "See you on the day") == 1 })
	if got := p.w.dialpadSandbox.Texts()[0]; got.From != "+14155550100" {
		t.Errorf("it went from %s", got.From)
	}
	p.quiet()
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
	v.p.t.Helper()
	v.when(day.Format("2006-01-02") + "T" + clock)
}

// in writes a time some way from now into the open schedule, by the clock of the zone that is chosen there.
func (v *view) in(d time.Duration) {
	v.p.t.Helper()
	v.until(`document.querySelector("#schedule select")?.value`)
	zone, err := browsertest.Eval[string](v.ctx, `document.querySelector("#schedule select").value`)
	v.p.w.must(err)
	loc, err := time.LoadLocation(zone)
	v.p.w.must(err)
	v.when(time.Now().Add(d).In(loc).Format("2006-01-02T15:04"))
}

func (v *view) when(local string) {
	v.p.t.Helper()
	v.until(fmt.Sprintf(`(() => { const e = document.querySelector("#schedule input"); if (!e) return false; e.value = %q; e.dispatchEvent(new Event("input", { bubbles: true })); return e.value; })()`, local))
}

// nearer brings the newest schedule's time close: waiting for minutes shows nothing more.
func (p *person) nearer(d time.Duration) {
	p.t.Helper()
	list, err := p.w.program.store.Batches.ListByState(p.t.Context(), "t_9", []string{ledger.BatchScheduled}, "", 10)
	p.w.must(err)
	b := list[len(list)-1]
	p.w.must(p.w.program.store.Batches.Update(p.t.Context(), "t_9", b.ID, []string{ledger.BatchScheduled},
		map[string]any{"send_at": time.Now().Add(d).UTC(), "local_time": ""}))
}
