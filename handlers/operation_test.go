package handlers_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/static"
)

func unmarshal(b []byte, out any) error { return json.Unmarshal(b, out) }

func TestReadinessNamesFailingChecks(t *testing.T) {
	w := newWorld(t)
	w.send("GET", "/healthz", nil).want(200, "")
	worker := func(when, want string) {
		t.Helper()
		if r := w.send("GET", "/readyz", nil).want(200, ""); r.text("checks", "worker") != want || r.text("checks", "schema") != "ok" {
			t.Errorf("%s: %s", when, r.body)
		}
	}
	worker("before a worker", "failing")
	w.must(w.db.Workers.MarkSeen(t.Context(), "w1"))
	worker("with a worker", "ok")
	w.clock.Add(2 * time.Minute)
	worker("after a worker", "failing")
	w.must(w.db.Close())
	if r := w.send("GET", "/readyz", nil).want(503, ""); r.text("checks", "database") != "failing" || strings.Contains(r.body, "sql") {
		t.Errorf("without a database: %s", r.body)
	}
	w.send("GET", "/healthz", nil).want(200, "")
}

func TestMetricsCountRequestsByRoute(t *testing.T) {
	w := newWorld(t)
	w.page("acme", "42")
	w.send("GET", "/apps/dialpad/status", nil).want(401, "")
	text := w.send("GET", "/metrics", nil, header("Authorization", "Bearer scrape")).want(200, "").body
	for _, line := range []string{
		`dialpad_texting_http_requests_total{method="GET",route="/apps/dialpad/status",status="401"} 1`,
		`dialpad_texting_http_requests_total{method="POST",route="/apps/dialpad",status="200"} 1`,
		`dialpad_texting_http_request_duration_seconds_count{method="POST",route="/apps/dialpad"} 1`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s in %s", line, text)
		}
	}
}

// metrics asks from an address with headers, as a proxy may add or leave
// out.
func (w *world) metrics(from string, headers ...string) int {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.RemoteAddr = from
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Code
}

func TestMetricsNeedTheTokenWhoeverAsks(t *testing.T) {
	closed := newWorld(t, func(o *setup) { o.metricsToken = "" })
	w := newWorld(t)
	for _, from := range []string{"127.0.0.1:50000", "[::1]:50000", "10.0.0.7:50000", "203.0.113.9:50000", "@", ""} {
		for _, proxy := range [][]string{nil, {"X-Forwarded-For", "127.0.0.1"}, {"X-Forwarded-For", "203.0.113.9"}, {"Forwarded", "for=127.0.0.1"},
			{"X-Real-Ip", "127.0.0.1"}, {"Via", "1.1 proxy"}, {"Host", "127.0.0.1"}, {"CF-Connecting-IP", "127.0.0.1"}} {
			for credentials, want := range map[string]int{"": 401, "Bearer": 401, "Bearer ": 401, "Bearer scraper": 401, "Bearer scrap": 401,
				"Basic scrape": 401, "Bearer scrape": 200, "bearer scrape": 200} {
				headers := append([]string{"Authorization", credentials}, proxy...)
				if got := w.metrics(from, headers...); got != want {
					t.Errorf("from %q with %q: %d, want %d", from, headers, got, want)
				}
				if got := closed.metrics(from, headers...); got != 404 {
					t.Errorf("without a token set, from %q with %q: %d, want 404", from, headers, got)
				}
			}
		}
	}
}

func TestCrossOriginRequestsMayOnlyLaunch(t *testing.T) {
	w := newWorld(t)
	page := w.page("acme", "42")
	crossSite := []func(*http.Request){header("Origin", acme), header("Sec-Fetch-Site", "cross-site")}
	w.call("POST", "/apps/dialpad/install", page, nil, crossSite...).want(403, "cross_origin")
	w.call("POST", "/apps/dialpad/install", page, nil, header("Origin", acme)).want(403, "cross_origin") // an older browser
	w.call("PUT", "/apps/dialpad/settings", page, map[string]any{"reserve": 1}, crossSite...).want(403, "cross_origin")
	w.call("POST", "/embed/api/session", page, map[string]any{"token": "x"}, crossSite...).want(403, "cross_origin")
	w.call("POST", "/apps/dialpad/install", page, nil, header("Origin", w.app.URL), header("Sec-Fetch-Site", "same-origin")).want(201, "")
	for path, use := range map[string]string{"/apps/dialpad": crm.UsePage, "/texts": crm.UsePage, "/embed/popup": crm.UsePopup} {
		var about *crm.LaunchTarget
		if use == crm.UsePopup {
			about = one("+14155550142")
		}
		w.form(path, url.Values{"token": {w.token("acme", "42", use, about)}}, crossSite...).session()
	}
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	w := newWorld(t)
	w.send("GET", "/nothing", nil, header("Accept", "text/html,*/*")).plainPage(404)
	w.send("GET", "/embed/api/nothing", nil).want(404, "not_found")
	w.send("GET", "/apps/dialpad/nothing", nil).want(404, "not_found")
	w.send("DELETE", "/apps/dialpad", nil).want(405, "method_not_allowed")
	w.send("GET", "/crm/events", nil).want(405, "method_not_allowed")
	if r := w.send("OPTIONS", "/embed/api/batches", nil, header("Origin", acme), header("Access-Control-Request-Method", "POST")); r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another site's page may read answers")
	}
}

func TestRootDescribesTheApp(t *testing.T) {
	w := newWorld(t)
	for _, accept := range []string{"text/html,application/xhtml+xml,*/*;q=0.8", "*/*"} {
		r := w.send("GET", "/", nil, header("Accept", accept)).want(200, "")
		if !strings.Contains(r.body, "<h1>Dialpad Texting for Salesmate</h1>") || strings.Contains(r.body, "<script") {
			t.Errorf("Accept %s: %s", accept, r.body)
		}
	}
	r := w.send("GET", "/", nil, header("Accept", "application/json")).want(200, "")
	if !strings.Contains(r.body, `"name":"Dialpad Texting for Salesmate"`) || !strings.Contains(r.body, `"openapi":"http`) {
		t.Errorf("as JSON: %s", r.body)
	}
}

func TestErrorIsAnsweredOnce(t *testing.T) {
	w := newWorld(t, func(o *setup) { o.unchecked = true }) // the document holds no such address
	r := w.send("POST", "/", nil, header("Accept", "text/html"), header("Sec-Fetch-Site", "cross-site")).plainPage(403)
	if strings.Count(r.body, "</html>") != 1 {
		t.Errorf("two pages in one: %s", r.body)
	}
}

func TestAssetsAreServed(t *testing.T) {
	w := newWorld(t)
	r := w.send("GET", static.AssetPath("css/app.css"), nil).want(200, "")
	if got := r.header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("cached by %q", got)
	}
	w.send("HEAD", static.AssetPath("css/app.css"), nil).want(200, "")
	w.send("GET", "/static/x/../../handlers/routes.go", nil).want(404, "")
	r = w.send("GET", "/embed/sdk.js", nil, header("Origin", acme), header("Sec-Fetch-Site", "cross-site")).want(200, "")
	if r.header.Get("Content-Type") != "text/javascript; charset=utf-8" || r.header.Get("Cache-Control") != "public, max-age=300" ||
		r.header.Get("Cross-Origin-Resource-Policy") != "" {
		t.Errorf("the script has the headers %v", r.header)
	}
	document, err := os.ReadFile("../static/openapi.yaml")
	w.must(err)
	if diff := cmp.Diff(string(document), w.send("GET", "/openapi.yaml", nil).want(200, "").body); diff != "" {
		t.Error(diff)
	}
}

// With a database that always fails, every answer is an error without details.
func TestDatabaseErrorsRevealNoDetail(t *testing.T) {
	w := newWorld(t)
	launch := w.form("/texts", url.Values{"token": {w.token("acme", "42", crm.UsePage, nil)}})
	page, pageCookie := launch.session(), launch.cookie()
	popup := w.popup("acme", "42", one("+14155550142"))
	token := w.token("acme", "42", crm.UsePage, nil)
	w.must(w.db.Close())
	for address, session := range map[string]string{
		"GET /apps/dialpad/status": page, "POST /apps/dialpad/install": page, "POST /apps/dialpad/connect": page, "GET /apps/dialpad/people": page,
		"POST /apps/dialpad/disconnect": page, "POST /apps/dialpad/remove": page, "PUT /apps/dialpad/settings": page, "GET /texts/api/batches": page,
		"GET /embed/api/context": popup, "GET /embed/api/batches/x": popup, "POST /embed/api/batches/x/cancel": page, "POST /embed/api/batches": popup,
		"GET /embed/api/messages/x/receipt": page,
	} {
		method, path := split(address)
		w.call(method, path, session, nil).noDetail()
	}
	w.call("POST", "/embed/api/session", popup, map[string]any{"token": "x"}).noDetail()
	w.event(crm.EventPlanChanged, map[string]any{"tenant": tenantBlock()}).noDetail()
	w.ask("/automation/execute", crm.NewID(), w.envelope(crm.CallExecute, execute("cb"))).noDetail()
	for _, r := range []response{
		w.form("/apps/dialpad", url.Values{"token": {token}}), w.send("GET", "/texts", nil, cookie(pageCookie)),
		w.send("GET", "/connect?ticket=x", nil), w.send("GET", "/connect/callback?code=x&state=y", nil),
		w.form("/connect/confirm", url.Values{"state": {"x"}, "action": {"connect"}}),
	} {
		r.plainPage(500)
		if strings.Contains(r.body, "sql") || strings.Contains(r.body, "database") {
			t.Errorf("%s reveals %s", r.what, r.body)
		}
	}
	if !strings.Contains(w.log.String(), "database is closed") {
		t.Errorf("the operator learns nothing: %s", w.log)
	}
}

func (r response) noDetail() {
	r.t.Helper()
	r.want(500, "internal")
	if strings.Contains(r.body, "sql") || strings.Contains(r.body, "database") || r.header.Get("X-Request-Id") == "" {
		r.t.Errorf("%s reveals %s", r.what, r.body)
	}
}

func TestPanicIsAnswered500(t *testing.T) {
	w := newWorld(t)
	w.page("acme", "42")
	w.events.panics = true
	w.event(crm.EventPlanChanged, map[string]any{"tenant": tenantBlock()}).want(500, "internal")
	if !strings.Contains(w.log.String(), "events fell over") || !strings.Contains(w.log.String(), "calls.go") {
		t.Error("the log does not say where")
	}
	w.send("GET", "/healthz", nil).want(200, "")
}

func TestLogHasRoutesAndNoSecrets(t *testing.T) {
	w := newWorld(t).connected()
	page := w.page("acme", "42")
	w.call("GET", "/texts/api/batches?q=%2B14155550142", page, nil).want(200, "")
	w.call("POST", "/embed/api/batches", w.popup("acme", "42", one("+14155550142")), map[string]any{"message": "a private word"}, idempotent).want(202, "")
	w.send("GET", "/connect?ticket=very-secret-ticket", nil)
	text := w.log.String()
	for _, secret := range []string{page, "4155550142", "private", "very-secret-ticket", "q="} {
		if strings.Contains(text, secret) {
			t.Errorf("the log knows %q", secret)
		}
	}
	for _, want := range []string{`"route":"/texts/api/batches"`, `"status":202`, `"tenant":"t_9"`, `"request":"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}

// A report that fails halfway must not look complete.
func TestFailedReportClosesTheConnection(t *testing.T) {
	w := newWorld(t, func(o *setup) { o.unchecked = true }).connected()
	seedBatch(w, 1500)
	page := w.page("acme", "42")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.app.URL+"/embed/api/batches/"+seededBatch+"/messages", nil)
	w.must(err)
	r.Header.Set("Authorization", "Bearer "+page)
	r.Header.Set("Accept", "text/csv")
	inner := w.handler
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(&closing{ResponseWriter: rw, w: w}, r)
	})
	answer, err := client.Do(r)
	w.must(err)
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err == nil {
		t.Error("half a report ended as if it were whole")
	}
}

// closing closes the database once something was written.
type closing struct {
	http.ResponseWriter
	w *world
}

func (c *closing) Write(b []byte) (int, error) {
	if len(b) > 100 {
		_ = c.w.db.Close()
	}
	return c.ResponseWriter.Write(b)
}
