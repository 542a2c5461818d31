//go:build !race

package browser

import "testing"

// TestActivityIsShownInABrowser looks at what an admin did, searches it, and opens
// the texts that an entry is about.
func TestActivityIsShownInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.Connect()
	store, ctx := b.d.Program.Store, t.Context()
	if err := store.Audits.Add(ctx, "t_9", "42", "batch.cancelled", map[string]string{"batch": "0199c1f2-7a3b-7c00-8000-000000000001"}); err != nil {
		t.Fatal(err)
	}
	b.openCRM("acme", "/apps/dialpad")
	page := b.frame("/apps/dialpad")
	page.waitText("Cancelled texts")
	page.waitText("Connected Dialpad")
	page.until(`(() => { document.querySelector("#activity-card").scrollIntoView({ block: "start" }); return true; })()`)
	b.checkAppearance("app-activity", b.root, page)
	page.write("#activity-q", "cancelled texts")
	page.until(`document.querySelectorAll("#activity tbody tr").length === 1`)
	page.until(`document.querySelector("#activity a").getAttribute("href").startsWith("/texts?batch=0199c1f2")`)
	page.write("#activity-q", "nobody did this")
	page.waitText("Nothing like that was done.")
	b.wantCleanConsole()
}
