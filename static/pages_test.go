package static_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/static"
)

func page() static.Page {
	return static.Page{
		SessionToken: "session-1", ExpiresIn: 15 * time.Minute,
		CRMOrigin: "http://acme.localhost:8090", AppPageURL: "http://acme.localhost:8090/apps/dialpad",
		Tenant: static.Tenant{ID: "t_9", Name: `Acme </script><script>alert("1")</script>`, Linkname: "acme"},
		User:   static.User{ID: "42", Name: "Ana Ruiz", Email: "ana@acme.com", Role: "admin", TimeZone: "America/New_York", Locale: "en-US"},
	}
}

// allPages returns every page with data that tries to break out of it.
func allPages() map[string]any {
	return map[string]any{
		"app": page(), "popup": page(), "texts": page(),
		"home":            static.Home{AppPageURL: "http://localhost:8090/"},
		"plain":           static.Plain{Title: "Expired", Message: `<b onclick="x">`, LinkText: "Back", LinkURL: "http://acme.localhost:8090/"},
		"connect_confirm": static.Confirm{Company: "Acme Inc", DialpadEmail: "it@acme.com", TenantName: `"><script>`, Host: "acme.salesmate.io", State: "s1"},
		"connect_done":    static.Done{OK: true, Title: "Connected", Message: "Connected. You can close this window."},
	}
}

func render(t *testing.T, name string, data any) string {
	t.Helper()
	pages, err := static.Pages()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := pages.Render(&out, name, data); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestEveryPageFitsTheContentSecurityPolicy(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"inline style":  regexp.MustCompile(`(?i)<style|<[a-z][^>]*\sstyle=`),
		"inline event":  regexp.MustCompile(`(?i)<[a-z][^>]*\son[a-z]+\s*=`),
		"inline script": regexp.MustCompile(`(?i)<script(?:\s+type="module")?\s*>`),
		"foreign file":  regexp.MustCompile(`(?i)<(?:script|img|link)[^>]*(?:src|href)="(?:https?:)?//`),
	}
	for name, data := range allPages() {
		html := render(t, name, data)
		for what, pattern := range forbidden {
			if found := pattern.FindString(html); found != "" {
				t.Errorf("page %s holds an %s: %s", name, what, found)
			}
		}
	}
}

func TestErrorPageHasNoScript(t *testing.T) {
	if html := render(t, "plain", allPages()["plain"]); strings.Contains(html, "<script") {
		t.Errorf("the plain page holds a script:\n%s", html)
	}
}

func TestPageHoldsTheDataOfItsScripts(t *testing.T) {
	html := render(t, "popup", page())
	if !strings.Contains(html, `<meta name="session-token" content="session-1">`) {
		t.Error("no session token in its meta element")
	}
	block := regexp.MustCompile(`(?s)<script type="application/json" id="page">(.*?)</script>`).FindStringSubmatch(html)
	if block == nil {
		t.Fatal("no data block")
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(block[1]), &got); err != nil {
		t.Fatalf("data block is not JSON: %v\n%s", err, block[1])
	}
	want := map[string]any{
		"crm_origin": "http://acme.localhost:8090", "app_page_url": "http://acme.localhost:8090/apps/dialpad", "upgrade_url": "", "record_url": "", "expires_in": 900.0, "language": "en",
		"tenant": map[string]any{"id": "t_9", "name": page().Tenant.Name, "linkname": "acme"},
		"user":   map[string]any{"id": "42", "name": "Ana Ruiz", "email": "ana@acme.com", "role": "admin", "time_zone": "America/New_York", "unknown_time_zone": nil, "locale": "en-US"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfirmationNamesBothSidesAndPostsTheChoice(t *testing.T) {
	question := static.Confirm{Company: "Acme Inc", DialpadEmail: "it@acme.com", TenantName: "Acme", Host: "acme.salesmate.io", State: "s1"}
	html := render(t, "connect_confirm", question)
	for _, want := range []string{
		`action="/connect/confirm"`, `name="state" value="s1"`, `name="action" value="cancel"`,
		`Connect <bdi>Acme Inc</bdi> to <bdi>Acme</bdi></button>`, `<bdi>it@acme.com</bdi>`,
		`<bdi id="host" dir="ltr" translate="no">acme.salesmate.io</bdi>`, "If the address is not yours, cancel.",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the confirmation lacks %s:\n%s", want, html)
		}
	}
	for _, unwanted := range []string{"e-mail is not the one", "is replaced"} {
		if strings.Contains(html, unwanted) {
			t.Errorf("the confirmation says %q:\n%s", unwanted, html)
		}
	}
	question.OtherEmail, question.Replaces = true, "Old Co"
	html = render(t, "connect_confirm", question)
	for _, want := range []string{"e-mail is not the one", "is replaced", "<bdi>Old Co</bdi>"} {
		if !strings.Contains(html, want) {
			t.Errorf("the confirmation lacks %q:\n%s", want, html)
		}
	}
}

// namesOf finds what a page shows of names, each in an element of its own.
var namesOf = regexp.MustCompile(`<bdi[^>]*>([^<]*)</bdi>`)

// TestConfirmationIsolatesEveryName fills in names that would reorder what
// stands next to them: none is outside its own element, and the host is in
// none of theirs.
func TestConfirmationIsolatesEveryName(t *testing.T) {
	const evil = "\u202emoc.mitciv\u202c\u2067"
	html := render(t, "connect_confirm", static.Confirm{Company: "A" + evil, DialpadEmail: "B" + evil, TenantName: "C" + evil,
		Replaces: "D" + evil, Host: "acme.salesmate.io", State: "s1"})
	isolated := 0
	for _, name := range namesOf.FindAllStringSubmatch(html, -1) {
		if strings.Contains(name[1], evil) {
			isolated++
			if strings.Contains(name[1], "salesmate") {
				t.Errorf("a name and the host share an element: %q", name[1])
			}
		}
	}
	if all := strings.Count(html, evil); all != isolated || all < 6 {
		t.Errorf("%d of %d names are isolated:\n%s", isolated, all, html)
	}
}

func TestRenderWritesNothingWhenAPageFails(t *testing.T) {
	pages, err := static.Pages()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := pages.Render(&out, "popup", static.Plain{}); err == nil {
		t.Error("rendering with another page's data succeeded")
	}
	if out.Len() != 0 {
		t.Errorf("%d bytes were written before the failure", out.Len())
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }

var errPipe = errors.New("pipe is broken")

func TestRenderReturnsTheErrorOfTheWriter(t *testing.T) {
	pages, err := static.Pages()
	if err != nil {
		t.Fatal(err)
	}
	if err := pages.Render(brokenPipe{}, "plain", static.Plain{}); !errors.Is(err, errPipe) {
		t.Errorf("got %v, want the writer's error", err)
	}
}
