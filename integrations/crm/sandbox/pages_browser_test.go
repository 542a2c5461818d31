//go:build !race

package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/browsertest"
)

// sdkStub records what the pages ask of the app's script.
const sdkStub = `window.asked = [];
window.DialpadTexting = {
  init(options) { window.options = options; },
  bulk(whom) { window.asked.push(whom); },
};`

// framePage is a page of the app: it says ready, wants a token, and shows it.
const framePage = `<!doctype html><title>app</title><p id="state">%s</p><script>
const host = %q;
const say = (type, more) => parent.postMessage({ app: "dialpad-texting", type, ...more }, host);
addEventListener("message", (e) => {
  if (e.origin !== host || e.data.type !== "token") return;
  document.title = "renewed";
  say("resize", { height: 777 });
  say("upgrade", { plans: ["enterprise"] });
});
say("ready");
say("token_needed");
</script>`

// browserWorld is a sandbox at its true addresses, with a stub of the app.
func browserWorld(t *testing.T) (w *world, tokens chan string) {
	tokens = make(chan string, 8)
	w = newWorld(t)
	origin := "http://acme.localhost" + w.server.URL[strings.LastIndex(w.server.URL, ":"):]
	stub := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/embed/sdk.js" {
			out.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(out, sdkStub)
			return
		}
		out.Header().Set("Content-Type", "text/html")
		tokens <- r.PostFormValue("token")
		fmt.Fprintf(out, framePage, r.URL.Path, origin)
	}))
	t.Cleanup(stub.Close)
	w.Configure(stub.URL, strings.TrimPrefix(origin, "http://acme."))
	return w, tokens
}

func TestPagesInABrowser(t *testing.T) {
	tab := browsertest.Open(t)
	w, tokens := browserWorld(t)
	verifier := crm.LaunchVerifier{Secrets: w.opts.Secrets, BaseDomain: strings.TrimPrefix(w.Origin("acme"), "http://acme."), Now: w.clock.now}

	t.Run("the old address leads to the app's page, which is given a token", func(t *testing.T) {
		browsertest.Do(t, tab, chromedp.Navigate(w.Origin("acme")+"/#/app/setup/apps/dialpad"))
		browsertest.Until(t, tab, `location.pathname === "/apps/dialpad" && document.querySelector("iframe")?.height === "777"`)
		launch, err := verifier.Verify(<-tokens, crm.UsePage)
		if err != nil || launch.User.ID != "42" {
			t.Errorf("%+v %v", launch, err)
		}
		browsertest.Until(t, tab, `document.querySelector("#upgrade").open && document.querySelector("[data-plan=business]").hidden`)
	})
	t.Run("a page of people, then all of them, are handed to the bulk popup", func(t *testing.T) {
		browsertest.Do(t, tab, chromedp.Navigate(w.Origin("acme")+"/contacts"))
		browsertest.Press(t, tab, "[data-page-all]")
		browsertest.Press(t, tab, "[data-text]")
		browsertest.Until(t, tab, `asked[0].module === "contact" && asked[0].recordIds.length === 50 && asked[0].recordIds[6] === "7"`)
		browsertest.Press(t, tab, "[data-all]")
		browsertest.Until(t, tab, `document.querySelector("[data-chosen]").textContent === "All 60 people selected"`)
		browsertest.Press(t, tab, "[data-text]")
		browsertest.Until(t, tab, `asked[1].selection.startsWith("sel_") && asked[1].count === 60`)
	})
	t.Run("the token for a popup is for that popup", func(t *testing.T) {
		token, err := browsertest.Eval[string](tab, `options.getToken({ use: "popup", ctx:
			{ mode: "one", module: "contact", record_ids: ["7"], to_number: "+14155550142" } })`)
		if err != nil {
			t.Fatal(err)
		}
		if launch, err := verifier.Verify(token, crm.UsePopup); err != nil || launch.Ctx.RecordIDs[0] != "7" {
			t.Errorf("%+v %v", launch, err)
		}
	})
	t.Run("the timeline follows a text without a reload", func(t *testing.T) {
		browsertest.Do(t, tab, chromedp.Navigate(w.Origin("acme")+"/contacts/7"))
		for _, status := range []string{"sent", "delivered"} {
			w.clock.add(time.Second)
			if err := w.client.UpsertActivity(ctx, w.acme, crm.NewID(), crm.Activity{MessageID: "m1", ContactID: "7", UserID: "42", Status: status, Body: "Hi"}); err != nil {
				t.Fatal(err)
			}
			browsertest.Until(t, tab, fmt.Sprintf(`document.querySelector(".timeline .chip")?.textContent === %q`, statusLabel(status)))
		}
	})
	t.Run("another plan is one choice away", func(t *testing.T) {
		browsertest.Do(t, tab, chromedp.Evaluate[chromedp.Void](`{ const s = document.querySelector("[name=plan]"); s.value = "starter"; s.dispatchEvent(new Event("change")); }`))
		browsertest.Until(t, tab, `document.querySelector(".note")?.textContent.startsWith("Plan changed")`)
		if got := w.Tenant("acme").Plan; got != "starter" {
			t.Errorf("plan %s", got)
		}
	})
}
