package sandbox_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"dialpad-texting/integrations/dialpad/sandbox"
)

// newBrowser skips where there is no Chromium.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium on this machine")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true),
		chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until the expression is true.
func eventually(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	for {
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && yes {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("never true: %s (%v)", expression, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestConsentInABrowser(t *testing.T) {
	ctx := newBrowser(t)
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
	must(t, chromedp.Do(ctx, chromedp.Navigate(authorize), chromedp.Click(chromedp.CSS(`input[value="`+sandbox.AnaID+`"]`)),
		chromedp.Click(chromedp.CSS(`button[value="allow"]`))))
	if q := <-landed; q.Get("code") == "" || q.Get("state") != "st" {
		t.Errorf("allowed: came back with %v", q)
	}
	// A page that is still loading would end the next one's load with ERR_ABORTED.
	eventually(t, ctx, `location.pathname === "/callback" && document.readyState === "complete"`)
	must(t, chromedp.Do(ctx, chromedp.Navigate(authorize), chromedp.Click(chromedp.CSS(`button[value="deny"]`))))
	if q := <-landed; q.Get("error") != "access_denied" || q.Get("state") != "st" {
		t.Errorf("denied: came back with %v", q)
	}
}

func TestTextsArriveOnThePhonesPage(t *testing.T) {
	ctx := newBrowser(t)
	w := newWorld(t, nil)
	token := w.IssueToken(sandbox.AnaID)
	must(t, chromedp.Do(ctx, chromedp.Navigate(w.url+"/phones")))
	eventually(t, ctx, `document.getElementById("state").textContent.startsWith("Live")`)
	if _, err := w.client.SendSMS(t.Context(), token, hello); err != nil {
		t.Fatal(err)
	}
	eventually(t, ctx, `document.querySelector(".bubble")?.textContent === "Hi" && document.getElementById("empty").hidden`)
	// Another phone's text must not take the words or the focus of somebody who is typing.
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`input[name="text"][placeholder]`)), chromedp.SendKeys(chromedp.CSS(`input[name="text"][placeholder]`), "hello ba")))
	other := hello
	other.ToNumber = "+14155550143"
	if _, err := w.client.SendSMS(t.Context(), token, other); err != nil {
		t.Fatal(err)
	}
	eventually(t, ctx, `document.querySelectorAll(".phone").length === 2`)
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(`[data-number="`+hello.ToNumber+`"] input[name="text"]`), "ck\r")))
	eventually(t, ctx, `document.querySelector(".out .bubble")?.textContent === "hello back"`)
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`[data-number="`+hello.ToNumber+`"] button[value="STOP"]`))))
	eventually(t, ctx, `document.querySelector(".phone .chip")?.textContent === "Opted out of Acme Inc"`)
	if !w.OptedOut(sandbox.AcmeID, hello.ToNumber) {
		t.Error("STOP did not opt out")
	}
}

func TestAdminPageInABrowser(t *testing.T) {
	ctx := newBrowser(t)
	w := newWorld(t, nil)
	must(t, chromedp.Do(ctx, chromedp.Navigate(w.url+"/admin"), chromedp.Click(chromedp.CSS("#u"+sandbox.BenID+` button[value="suspend"]`))))
	eventually(t, ctx, `document.querySelector("[role=status]")?.textContent === "The user was changed."`)
	if u, _ := w.User(sandbox.BenID); u.State != "suspended" {
		t.Errorf("state = %q", u.State)
	}
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`#faults button.primary`))))
	eventually(t, ctx, `document.querySelector("#faults .on")?.textContent.includes("Slow")`)
	if f := w.Faults(); len(f) != 1 || f[0].Kind != sandbox.Slow || f[0].Path != "/api/v2/sms" || f[0].Times != 1 {
		t.Errorf("faults = %+v", f)
	}
}

func TestPagesKeepTheirPolicy(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/", "/admin", "/phones", "/oauth2/authorize", "/nothing"} {
		resp, err := http.Get(w.url + path)
		must(t, err)
		_ = resp.Body.Close()
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/admin/users/"+sandbox.BenID, strings.NewReader("do=delete"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form: %d", resp.StatusCode)
	}
}
