//go:build !race

package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"

	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/browsertest"
)

func TestConsentInABrowser(t *testing.T) {
	tab := browsertest.Open(t)
	landed := make(chan url.Values, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			landed <- r.URL.Query()
		}
	}))
	defer app.Close()
	w := newWorld(t, func(o *sandbox.Options) { o.RedirectURIs = []string{app.URL + "/callback"} })
	authorize := w.url + "/oauth2/authorize?" + url.Values{"client_id": {"app"}, "redirect_uri": {app.URL + "/callback"},
		"response_type": {"code"}, "scope": {"offline_access change_log"}, "state": {"st"}}.Encode()
	browsertest.Do(t, tab, chromedp.Navigate(authorize))
	browsertest.Press(t, tab, `input[value="`+sandbox.AnaID+`"]`)
	browsertest.Press(t, tab, `button[value="allow"]`)
	if q := <-landed; q.Get("code") == "" || q.Get("state") != "st" {
		t.Errorf("allowed: came back with %v", q)
	}
	// A page that is still loading would end the next one's load with ERR_ABORTED.
	browsertest.Until(t, tab, `location.pathname === "/callback" && document.readyState === "complete"`)
	browsertest.Do(t, tab, chromedp.Navigate(authorize))
	browsertest.Press(t, tab, `button[value="deny"]`)
	if q := <-landed; q.Get("error") != "access_denied" || q.Get("state") != "st" {
		t.Errorf("denied: came back with %v", q)
	}
}

func TestTextsArriveOnThePhonesPageInABrowser(t *testing.T) {
	tab := browsertest.Open(t)
	w := newWorld(t, nil)
	token := w.IssueToken(sandbox.AnaID)
	browsertest.Do(t, tab, chromedp.Navigate(w.url+"/phones"))
	browsertest.Until(t, tab, `document.getElementById("state").textContent.startsWith("Live")`)
	if _, err := w.client.SendSMS(t.Context(), token, hello); err != nil {
		t.Fatal(err)
	}
	browsertest.Until(t, tab, `document.querySelector(".bubble")?.textContent === "Hi" && document.getElementById("empty").hidden`)
	// Another phone's text must not take the words or the focus of somebody who
	// is typing.
	browsertest.Write(t, tab, `[data-number="`+hello.ToNumber+`"] input[name="text"]`, "hello ba")
	other := hello
	other.ToNumber = "+14155550143"
	if _, err := w.client.SendSMS(t.Context(), token, other); err != nil {
		t.Fatal(err)
	}
	browsertest.Until(t, tab, `document.querySelectorAll(".phone").length === 2`)
	browsertest.Do(t, tab, chromedp.KeyEvent("ck\r")) // goes where the focus is
	browsertest.Until(t, tab, `document.querySelector(".out .bubble")?.textContent === "hello back"`)
	browsertest.Press(t, tab, `[data-number="`+hello.ToNumber+`"] button[value="STOP"]`)
	browsertest.Until(t, tab, `document.querySelector(".phone .chip")?.textContent === "Opted out of Acme Inc"`)
	if !w.OptedOut(sandbox.AcmeID, hello.ToNumber) {
		t.Error("STOP did not opt out")
	}
}

func TestAdminPageInABrowser(t *testing.T) {
	tab := browsertest.Open(t)
	w := newWorld(t, nil)
	browsertest.Do(t, tab, chromedp.Navigate(w.url+"/admin"))
	browsertest.Press(t, tab, "#u"+sandbox.BenID+` button[value="suspend"]`)
	browsertest.Until(t, tab, `document.querySelector("[role=status]")?.textContent === "The user was changed."`)
	if u, _ := w.User(sandbox.BenID); u.State != "suspended" {
		t.Errorf("state = %q", u.State)
	}
	browsertest.Press(t, tab, `#faults button.primary`)
	browsertest.Until(t, tab, `document.querySelector("#faults .on")?.textContent.includes("Slow")`)
	if f := w.Faults(); len(f) != 1 || f[0].Kind != sandbox.Slow || f[0].Path != "/api/v2/sms" || f[0].Times != 1 {
		t.Errorf("faults = %+v", f)
	}
}
