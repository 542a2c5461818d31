//go:build !race

package browser

import (
	"testing"
	"time"
)

// TestOneTextAsksAtNightInABrowser texts Owen in New York, in quiet hours: once
// in the morning, once now.
func TestOneTextAsksAtNightInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	admin := b.d.Connect()
	zone, err := time.LoadLocation("America/New_York")
	b.d.Must(err)
	clock := func(d time.Duration) string { return time.Now().In(zone).Add(d).Format("15:04") }
	admin.SaveSettings(map[string]any{"quiet_hours": map[string]string{"from": clock(-time.Hour), "to": clock(3 * time.Hour)}})
	popup := b.openPopup("2")
	popup.write("#message", "Good morning, Owen")
	popup.press("#send")
	popup.waitText("for Owen. Send now?")
	b.checkAppearance("popup-night", b.root, popup)
	popup.press("[data-act=night]:last-child")
	popup.waitState("queued")
	popup.waitText("It waits until their quiet hours end and goes out at")
	b.checkAppearance("popup-waits-for-morning", b.root, popup)
	if n := b.d.DialpadSandbox.SMSPosts(); n != 0 {
		t.Errorf("%d texts went at night", n)
	}
	popup.press("#close")

	popup = b.openPopup("2")
	popup.pressText("Write another")
	popup.write("#message", "Are you still up?")
	popup.press("#send")
	popup.press("[data-act=night]")
	b.d.Until("it went now", func() bool { return b.d.DialpadSandbox.AcceptedOf("+12125550112", "Are you still up?") == 1 })
	b.wantCleanConsole()
}

// TestSettingsNameTheLawsInABrowser shows where the hours come from, and turns
// the law's off.
func TestSettingsNameTheLawsInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.Connect().SaveSettings(map[string]any{"quiet_hours": map[string]string{"from": "20:00", "to": "09:00"}, "keep_laws": true})
	b.openCRM("acme", "/apps/dialpad")
	f := b.frame("/apps/dialpad")
	f.until(connectedPage)
	f.press("#next")
	f.waitText("United States: 8:00 AM to 9:00 PM, Telephone Consumer Protection Act")
	f.until(`document.querySelector("#settings [name=keep_laws]").checked && document.querySelector("#laws > small a").href.includes("ecfr.gov")`)
	f.press("#laws summary")
	f.waitText("Texas: Monday to Friday 9:00 AM to 9:00 PM, Saturday 9:00 AM to 9:00 PM, Sunday 12:00 PM to 9:00 PM")
	b.checkAppearance("app-settings-laws", b.root, f)
	f.press("#settings [name=keep_laws]")
	f.press("#settings button.primary")
	f.waitText("Settings saved.")
	f.press("#next")
	f.until(`document.querySelector("#settings").open && !document.querySelector("#settings [name=keep_laws]").checked`)
	b.wantCleanConsole()
}
