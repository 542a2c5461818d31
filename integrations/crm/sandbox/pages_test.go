package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/crm"
)

func TestEveryPageRenders(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]string{
		"/":                  "Marta Lindqvist",
		"/contacts?q=tanaka": `data-dialpad-number="&#43;14155550142" data-module="contact" data-record-id="7"`,
		"/contacts?q=zzz":    "Nothing matches",
		"/contacts?page=1":   "51 to 60 of 60",
		"/contacts/7":        "Marine parts 2027",
		"/deals":             "Harbor fleet renewal",
		"/deals/101":         `data-module="deal" data-record-id="101"`,
		"/deals/121":         "This deal has no contact",
		"/apps":              `href="/apps/dialpad"`,
		"/apps/dialpad":      `data-frame="http://127.0.0.1:1/apps/dialpad"`,
		"/texts":             `data-frame="http://127.0.0.1:1/texts"`,
		"/users":             "dan@acme.com",
		"/automation":        "Dialpad does not answer",
	} {
		resp, body := w.browse(t, "GET", path, "", nil)
		if resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, no %q", path, resp.StatusCode, want)
		}
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src 'self' http://127.0.0.1:1;") || strings.Contains(policy, "unsafe") || strings.Contains(body, " style=") {
			t.Errorf("%s: %s", path, policy)
		}
	}
	for _, path := range []string{"/contacts/999", "/deals/999", "/nowhere"} {
		if resp, _ := w.browse(t, "GET", path, "", nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	plain := func(*http.Request) {}
	for path, want := range map[string]string{"/": "http://acme.localhost:8090/", "/switches": "No faults"} {
		if resp, body := w.send(t, "GET", "localhost:8090", path, plain, ""); resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("root %s: %d", path, resp.StatusCode)
		}
	}
	if resp, _ := w.send(t, "GET", "initech.localhost:8090", "/", plain, ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("unknown tenant: %d", resp.StatusCode)
	}
}

func TestPrivateContactsAreVisibleToOwnerAndAdminOnly(t *testing.T) {
	w := newWorld(t)
	for user, want := range map[string]int{"42": 200, "44": 200, "43": 404} {
		if resp, _ := w.browse(t, "GET", "/contacts/24", "crm_user="+user, nil); resp.StatusCode != want {
			t.Errorf("user %s: %d", user, resp.StatusCode)
		}
	}
}

func (w *world) token(t *testing.T, cookie, ask string) (int, string) {
	t.Helper()
	resp, body := w.browse2(t, "/token", cookie, ask)
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer.Token
}

func (w *world) browse2(t *testing.T, path, cookie, body string) (*http.Response, string) {
	t.Helper()
	return w.send(t, "POST", "acme.localhost:8090", path, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
	}, body)
}

func TestLaunchTokensVerify(t *testing.T) {
	w := newWorld(t)
	verifier := crm.LaunchVerifier{Secrets: w.opts.Secrets, BaseDomain: "localhost:8090", Now: w.clock.now}
	status, token := w.token(t, "crm_user=43", `{"use":"popup","ctx":{"mode":"one","module":"contact","record_ids":[7],"to_number":"+14155550142"}}`)
	got, err := verifier.Verify(token, crm.UsePopup)
	if status != http.StatusOK || err != nil {
		t.Fatal(status, err)
	}
	if got.User.Email != "ben@acme.com" || got.Tenant != w.acme || got.Issuer != "http://acme.localhost:8090" || got.Ctx.ToNumber != "+14155550142" {
		t.Errorf("%+v", got)
	}
	w.SetPlan("acme", "starter")
	_, token = w.token(t, "", `{"use":"page"}`)
	if got, err = verifier.Verify(token, crm.UsePage); err != nil || got.Tenant.Plan != "starter" || got.User.ID != "42" {
		t.Errorf("%+v %v", got, err)
	}
	id, count, err := w.Select("acme", "42", crm.ModuleDeal, "")
	if err != nil {
		t.Fatal(err)
	}
	_, token = w.token(t, "", fmt.Sprintf(`{"use":"popup","ctx":{"mode":"bulk","module":"deal","selection":%q,"count":1}}`, id))
	if got, err = verifier.Verify(token, crm.UsePopup); err != nil || got.Ctx.Count != count {
		t.Errorf("%+v %v", got.Ctx, err)
	}
	for _, ask := range []string{
		`{"use":"popup"}`, `{"use":"page","ctx":{"mode":"one"}}`, `{"use":"other"}`, `nonsense`,
		`{"use":"popup","ctx":{"mode":"one","module":"contact","record_ids":["999"],"to_number":"1"}}`,
		`{"use":"popup","ctx":{"mode":"bulk","module":"contact","selection":"sel_x","count":3}}`,
	} {
		if status, _ := w.token(t, "", ask); status != http.StatusBadRequest {
			t.Errorf("%s: %d", ask, status)
		}
	}
}

func TestCreateSelectionOfASearch(t *testing.T) {
	w := newWorld(t)
	_, body := w.browse2(t, "/selection", "crm_user=43", `{"module":"contact","q":"bright"}`)
	var answer struct {
		Selection string
		Count     int
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Count != 2 || answer.Selection == "" {
		t.Errorf("%s %v", body, err)
	}
}

func TestFormsFromOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t)
	resp, _ := w.send(t, "POST", "acme.localhost:8090", "/plan", func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}, "plan=starter")
	if resp.StatusCode != http.StatusForbidden || w.Tenant("acme").Plan != "business" {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestChangesOfUserAndPlanSendEvents(t *testing.T) {
	w := newWorld(t)
	app, appURL := newApp(t, w.clock.now, map[string]string{"/crm/events": ""})
	w.Configure(appURL, "localhost:8090")
	resp, _ := w.browse(t, "POST", "/user", "", url.Values{"user": {"44"}, "back": {"/deals?q=x"}})
	if c := resp.Cookies(); len(c) != 1 || c[0].Value != "44" || !c[0].HttpOnly || resp.Header.Get("Location") != "/deals?q=x" {
		t.Errorf("%v %v", c, resp.Header)
	}
	resp, _ = w.browse(t, "POST", "/plan", "", url.Values{"plan": {"starter"}, "back": {"//evil.example"}})
	if resp.Header.Get("Location") != "/?note=plan" || w.Tenant("t_9").Plan != "starter" {
		t.Errorf("%v", resp.Header)
	}
	w.browse(t, "POST", "/contacts/7/optout", "", url.Values{"opted_out": {"true"}, "back": {"/contacts/7"}})
	w.browse(t, "POST", "/contacts/7/optout", "", url.Values{"opted_out": {"false"}, "back": {"/contacts/7"}})
	w.browse(t, "POST", "/contacts/7/erase", "", url.Values{})
	w.browse(t, "POST", "/users/43/deactivate", "", url.Values{})
	var got []crm.Event
	last := int64(0)
	for _, call := range app.seen() {
		e, err := crm.ParseEvent(call)
		if err != nil {
			t.Fatal(err)
		}
		if *call.Seq <= last {
			t.Errorf("seq %d after %d", *call.Seq, last)
		}
		last, e.Tenant = *call.Seq, crm.Tenant{Plan: e.Tenant.Plan}
		got = append(got, e)
	}
	starter := crm.Tenant{Plan: "starter"}
	want := []crm.Event{
		{Type: "plan.changed", Tenant: starter},
		{Type: "contact.opted_out", Tenant: starter, Number: "+14155550142"},
		{Type: "contact.opted_out", Tenant: starter, Number: "+14155550143"},
		{Type: "contact.opted_in", Tenant: starter, Number: "+14155550142"},
		{Type: "contact.opted_in", Tenant: starter, Number: "+14155550143"},
		{Type: "data.erase", Tenant: starter, ContactID: "7"},
		{Type: "user.deactivated", Tenant: starter, UserID: "43", Email: "ben@acme.com"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFailedPlanChangeEventIsReported(t *testing.T) {
	w := newWorld(t)
	resp, _ := w.browse(t, "POST", "/plan", "", url.Values{"plan": {"starter"}, "back": {"/"}})
	if got := resp.Header.Get("Location"); got != "/?note=plan_not_notified" {
		t.Errorf("%s", got)
	}
	if _, body := w.browse(t, "GET", "/?note=plan_not_notified", "", nil); !strings.Contains(body, "could not be told") {
		t.Error("the note is not shown")
	}
}

func TestTimelineFragmentIsLive(t *testing.T) {
	w := newWorld(t)
	first, body := w.browse(t, "GET", "/contacts/7/timeline", "", nil)
	if !strings.Contains(body, "No texts yet") {
		t.Error(body)
	}
	again := func() (int, string) {
		resp, body := w.send(t, "GET", "acme.localhost:8090", "/contacts/7/timeline", func(r *http.Request) {
			r.Header.Set("If-None-Match", first.Header.Get("ETag"))
		}, "")
		return resp.StatusCode, body
	}
	if status, _ := again(); status != http.StatusNotModified {
		t.Errorf("unchanged: %d", status)
	}
	err := w.client.UpsertActivity(ctx, w.acme, "msg_1", crm.Activity{MessageID: "m1", ContactID: "7", DealID: "107", UserID: "42",
		From: "+14155550100", To: "+14155550142", Body: "Hi <Bob>", Status: "undelivered", Error: "That number does not exist."})
	if err != nil {
		t.Fatal(err)
	}
	status, body := again()
	for _, want := range []string{"Hi &lt;Bob&gt;", "Not delivered", "That number does not exist.", "Ana Ruiz", "+1 415 555 0142"} {
		if !strings.Contains(strings.ReplaceAll(body, "&#43;", "+"), want) {
			t.Errorf("no %q in %d %s", want, status, body)
		}
	}
	if _, body := w.browse(t, "GET", "/deals/107/timeline", "", nil); !strings.Contains(body, "Hi &lt;Bob&gt;") {
		t.Error("not on the deal")
	}
}

const definition = `{"key":"send_text_via_dialpad","label":"Send Text via Dialpad","surfaces":["automation"],"modules":["contact","deal"],
	"inputs":[{"key":"from_user","label":"From User","type":"select","required":true,"options":"/automation/options","allow_owner":true},
	{"key":"message","label":"Message","type":"text"}],"outputs":[],"ports":["send","failed","continue"]}`

func TestAutomationRunShowsItsPort(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.NumberIDs = true })
	app, appURL := newApp(t, w.clock.now, map[string]string{
		"/automation/definition": definition,
		"/automation/execute":    `{"state":"BLOCK","message_id":"m1"}`,
		"/automation/options":    `{"options":[{"value":"42","label":"Ana Ruiz"}],"next":null,"state":null}`,
	})
	w.Configure(appURL, "localhost:8090")
	if _, body := w.browse(t, "GET", "/automation", "", nil); !strings.Contains(body, "Send Text via Dialpad") || !strings.Contains(body, `data-field="from_user" data-options data-owner`) {
		t.Errorf("builder: %s", body)
	}
	w.browse(t, "POST", "/automation", "", url.Values{"from_user": {"42"}, "message": {"Hi"}, "other": {"x"}})
	w.browse(t, "POST", "/automation/run", "", url.Values{"module": {"contact"}, "record_id": {"7"}})
	w.browse(t, "POST", "/automation/run", "", url.Values{"module": {"deal"}, "count": {"3"}})
	var got []crm.Execute
	for _, call := range app.seen()[1:] {
		e, err := crm.ParseExecute(call)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if len(got) != 4 || got[0].RecordID != "7" || got[0].Inputs.FromUser != "42" || got[0].Inputs.Message != "Hi" || got[3].Module != "deal" || got[3].RecordID != "103" {
		t.Fatalf("%+v", got)
	}
	err := w.client.Complete(ctx, w.acme, "msg_1", crm.Completion{CallbackID: got[0].CallbackID, State: crm.StateFail, Port: crm.PortFailed,
		Severity: crm.SeverityHigh, Outputs: crm.CompletionOutputs{Status: "failed", ErrorCode: "opted_out", ErrorText: "Text Unsubscribed"}})
	if err != nil {
		t.Fatal(err)
	}
	_, body := w.browse(t, "GET", "/automation/runs", "", nil)
	if !strings.Contains(body, "Port: failed") || !strings.Contains(body, "Text Unsubscribed") || strings.Count(body, "Waiting for Dialpad") != 3 {
		t.Error(body)
	}
	if resp, _ := w.browse(t, "POST", "/automation/run", "", url.Values{"module": {"contact"}, "record_id": {"999"}, "back": {"/automation"}}); resp.Header.Get("Location") != "/automation?note=no_record" {
		t.Errorf("%v", resp.Header)
	}
	if resp, body := w.browse2(t, "/automation/options", "", `{"field":"from_user","q":"an","value":"42"}`); resp.StatusCode != http.StatusOK || !strings.Contains(body, "Ana Ruiz") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	q, err := crm.ParseOptionsQuery(app.seen()[5])
	if err != nil || q.Value != "42" || q.Q != "an" || q.Tenant.ID != "t_9" {
		t.Errorf("%+v %v", q, err)
	}
}

func TestSwitchesPageAddsAndClearsFaults(t *testing.T) {
	w := newWorld(t)
	post := func(path, form string) *http.Response {
		resp, _ := w.send(t, "POST", "localhost:8090", path, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, form)
		return resp
	}
	post("/switches/faults", "type=users.list&kind=down&next=1")
	_, err := w.client.Users(ctx, w.acme, "")
	wantKind(t, "switched", err, crm.Unavailable)
	post("/switches/faults", "kind=down&next=0")
	if resp := post("/switches/faults", "kind=melt&next=0"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("%d", resp.StatusCode)
	}
	post("/switches/mend", "")
	if _, err := w.client.Users(ctx, w.acme, ""); err != nil {
		t.Error(err)
	}
}
