package handlers_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
)

// tenantBlock is Acme as the CRM writes it.
func tenantBlock(edits ...string) map[string]any {
	block := map[string]any{"id": "t_9", "linkname": "acme", "name": "Acme Inc", "plan": "business", "time_zone": "America/New_York"}
	for i := 0; i+1 < len(edits); i += 2 {
		block[edits[i]] = edits[i+1]
	}
	return block
}

// envelope is the body of a signed call, stamped now.
func (w *world) envelope(callType string, data map[string]any, seq ...int64) []byte {
	w.t.Helper()
	raw, err := json.Marshal(data)
	w.must(err)
	c := crm.Call{Type: callType, Timestamp: w.clock.Now().UTC(), Data: raw}
	if len(seq) > 0 {
		c.Seq = &seq[0]
	}
	body, err := json.Marshal(c)
	w.must(err)
	return body
}

// ask makes a signed call under a webhook-id.
func (w *world) ask(path, id string, body []byte, edits ...func(*http.Request)) response {
	w.t.Helper()
	head := w.secrets.Sign(id, w.clock.Now(), body)
	edits = append([]func(*http.Request){func(r *http.Request) {
		r.Header = head
		r.Header.Set("Content-Type", "application/json")
	}}, edits...)
	return w.send(http.MethodPost, path, strings.NewReader(string(body)), edits...)
}

func (w *world) event(callType string, data map[string]any, seq ...int64) response {
	w.t.Helper()
	return w.ask("/crm/events", crm.NewID(), w.envelope(callType, data, seq...))
}

func execute(callback string) map[string]any {
	return map[string]any{"tenant": tenantBlock(), "callback_id": callback, "workflow": map[string]any{"id": "w1", "name": "Welcome"},
		"module": "contact", "record_id": 7, "inputs": map[string]any{"from_user": 42, "to_field": "mobile", "message": "Hi {{Contact.firstName|there}}"}}
}

func TestSignedCallsOfTheSandboxAreAnswered(t *testing.T) {
	w := newWorld(t)
	w.page("acme", "42")
	definition, err := w.crm.Definition(t.Context(), "acme")
	if err != nil || definition.Key != "send_text_via_dialpad" {
		t.Errorf("definition %v, %v", definition, err)
	}
	for _, numbers := range []bool{false, true} {
		w.crm.SetNumberIDs(numbers)
		if _, err := w.crm.Options(t.Context(), "acme", "from_user", "", "", "42"); err != nil {
			t.Error(err)
		}
		if x, err := w.crm.Execute(t.Context(), "acme", crm.Execute{Module: "contact", RecordID: "7", Inputs: crm.Inputs{FromUser: "42", Message: "Hi"}}); err != nil || x.State != "BLOCK" || x.MessageID == "" {
			t.Errorf("%+v, %v", x, err)
		}
		if err := w.crm.SendEvent(t.Context(), "acme", crm.EventOptedOut, map[string]any{"number": "+14155550142"}); err != nil {
			t.Error(err)
		}
	}
	if got := w.automation.executed[1]; got.RecordID != "7" || got.Inputs.FromUser != "42" || got.Tenant.Linkname != "acme" {
		t.Errorf("executed %+v", got)
	}
	if got := w.automation.asked[1]; got.Value != "42" || got.Field != "from_user" {
		t.Errorf("asked %+v", got)
	}
	if got := w.events.applied[1]; got.Number != "+14155550142" || *w.events.seqs[1] <= *w.events.seqs[0] {
		t.Errorf("applied %+v", got)
	}
}

func TestUnsignedCallIsRefused(t *testing.T) {
	w := newWorld(t)
	w.page("acme", "42")
	body := w.envelope(crm.CallExecute, execute("cb_1"))
	const path = "/automation/execute"
	stranger := parsed(t, "whsec_"+keyOther)
	now := w.clock.Now()
	for name, edit := range map[string]func(*http.Request){
		"no signature":    func(r *http.Request) { r.Header.Del("Webhook-Signature") },
		"no id":           func(r *http.Request) { r.Header.Del("Webhook-Id") },
		"another id":      header("Webhook-Id", "msg_other"),
		"another time":    header("Webhook-Timestamp", "1"),
		"a stranger's":    func(r *http.Request) { r.Header = stranger.Sign("msg_1", now, body) },
		"six minutes old": func(r *http.Request) { r.Header = w.secrets.Sign("msg_1", now.Add(-6*time.Minute), body) },
		"six minutes on":  func(r *http.Request) { r.Header = w.secrets.Sign("msg_1", now.Add(6*time.Minute), body) },
		"of another body": func(r *http.Request) { r.Header = w.secrets.Sign("msg_1", now, []byte("{}")) },
		"another version": func(r *http.Request) {
			r.Header.Set("Webhook-Signature", strings.Replace(r.Header.Get("Webhook-Signature"), "v1,", "v2,", 1))
		},
		"a session's": func(r *http.Request) { r.Header = http.Header{"Authorization": {"Bearer " + w.page("acme", "42")}} },
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.ask(path, "msg_1", body, edit).want(401, "bad_signature")
		})
	}
	w.t = t
	if w.automation.count() != 0 {
		t.Error("a refused call was executed")
	}
	older := parsed(t, secretOld) // rotation: an older secret verifies
	w.ask(path, "msg_1", body, func(r *http.Request) { r.Header = older.Sign("msg_1", now, body) },
		header("Content-Type", "application/json")).want(202, "")
	w.ask(path, "msg_2", []byte(strings.Repeat(" ", 1<<20+1))).want(413, "too_large")
}

func TestRepeatedCallGetsFirstAnswer(t *testing.T) {
	w := newWorld(t)
	w.page("acme", "42")
	first := w.ask("/automation/execute", "msg_1", w.envelope(crm.CallExecute, execute("cb_1"))).want(202, "")
	w.clock.Add(23 * time.Hour)
	// Written anew, with the moment of its own and another order of keys: the
	// same call.
	var again map[string]any
	w.must(json.Unmarshal(w.envelope(crm.CallExecute, execute("cb_1")), &again))
	reordered, err := json.MarshalIndent(again, "", " ")
	w.must(err)
	second := w.ask("/automation/execute", "msg_1", reordered).want(202, "")
	if diff := cmp.Diff(first.body, second.body); diff != "" || w.automation.count() != 1 {
		t.Errorf("executed %d times: %s", w.automation.count(), diff)
	}
	w.ask("/automation/execute", "msg_1", w.envelope(crm.CallExecute, execute("cb_2"))).want(409, "webhook_id_conflict")
	w.ask("/automation/options", "msg_1", w.envelope(crm.CallOptions, map[string]any{"tenant": tenantBlock(), "field": "from_user"})).want(200, "")
	w.clock.Add(2 * time.Hour)
	w.ask("/automation/execute", "msg_1", w.envelope(crm.CallExecute, execute("cb_2"))).want(202, "")
}

func TestConcurrentCallsRunOnce(t *testing.T) {
	w := newWorld(t)
	w.page("acme", "42")
	w.automation.hold = make(chan struct{})
	body := w.envelope(crm.CallExecute, execute("cb_1"))
	answers := make([]response, 8)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = w.ask("/automation/execute", "msg_1", body) })
	}
	close(w.automation.hold)
	wg.Wait()
	for _, a := range answers {
		if a.want(202, "").body != answers[0].body {
			t.Errorf("answers differ: %s and %s", a.body, answers[0].body)
		}
	}
	if n := w.automation.count(); n != 1 {
		t.Errorf("executed %d times", n)
	}
}

func TestTemporaryErrorsAreNotStored(t *testing.T) {
	w := newWorld(t)
	w.page("acme", "42")
	w.automation.err = errors.New("the database is gone")
	body := w.envelope(crm.CallExecute, execute("cb_1"))
	r := w.ask("/automation/execute", "msg_1", body).want(500, "internal")
	if strings.Contains(r.body, "database is gone") || !strings.Contains(w.log.String(), "database is gone") {
		t.Errorf("the cause belongs in the log alone: %s", r.body)
	}
	w.automation.err = nil
	w.ask("/automation/execute", "msg_1", body).want(202, "")

	unknown := execute("cb_2")
	unknown["tenant"] = tenantBlock("id", "t_77", "linkname", "initech")
	body = w.envelope(crm.CallExecute, unknown)
	w.ask("/automation/execute", "msg_2", body).want(404, "not_found")
	w.ask("/automation/options", crm.NewID(), w.envelope(crm.CallOptions, map[string]any{"tenant": unknown["tenant"], "field": "from_user"})).want(200, "")
	w.ask("/automation/execute", "msg_2", body).want(202, "") // known by now
}

func TestCallTypeMustMatchAddress(t *testing.T) {
	w := newWorld(t)
	w.page("acme", "42")
	data := execute("cb_1")
	data["field"] = "from_user"
	for _, path := range []string{"/crm/events", "/automation/definition", "/automation/options", "/automation/execute"} {
		for _, callType := range []string{crm.EventPlanChanged, crm.CallDefinition, crm.CallOptions, crm.CallExecute, "records.resolve", "plan.unknown"} {
			fits := path == "/"+strings.ReplaceAll(callType, ".", "/") || path == "/crm/events" && callType == crm.EventPlanChanged
			if r := w.ask(path, crm.NewID(), w.envelope(callType, data)); (r.status < 300) != fits || !fits && r.status != 400 {
				t.Errorf("%s with %s answered %d %s", path, callType, r.status, r.body)
			}
		}
	}
	for name, body := range map[string]string{
		"no JSON": "hello", "a list": "[]", "no type": `{"timestamp":"2026-03-02T15:00:00Z","data":{}}`,
		"no timestamp": `{"type":"plan.changed","data":{"tenant":{"id":"t_9","plan":"x"}}}`,
		"no data":      `{"type":"plan.changed","timestamp":"2026-03-02T15:00:00Z"}`,
		"no tenant":    `{"type":"plan.changed","timestamp":"2026-03-02T15:00:00Z","data":{}}`,
		"a NUL":        `{"type":"tenant.renamed","timestamp":"2026-03-02T15:00:00Z","data":{"tenant":{"id":"t_9","name":"A\u0000"}}}`,
		"no number":    `{"type":"contact.opted_out","timestamp":"2026-03-02T15:00:00Z","data":{"tenant":{"id":"t_9"}}}`,
	} {
		if r := w.ask("/crm/events", crm.NewID(), []byte(body)); r.status != 400 || r.code() != "bad_request" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	// Fields that the CRM adds one day are ignored.
	data["added"] = map[string]any{"later": true}
	w.ask("/automation/execute", crm.NewID(), w.envelope(crm.CallExecute, data)).want(202, "")
	w.event(crm.EventPlanChanged, map[string]any{"tenant": tenantBlock("id", "t_404")}).want(404, "not_found")
	// A number that is none stays one: 5xx would have it repeated for ever.
	w.events.err = compose.ErrInvalidNumber
	w.event(crm.EventOptedOut, map[string]any{"tenant": tenantBlock(), "number": "+1555"}).want(400, "bad_request")
}

// An event that arrives late is applied with the newest tenant block.
func TestLateEventGetsNewestTenantBlock(t *testing.T) {
	w := newWorld(t)
	w.page("acme", "42")
	w.clock.Add(time.Second)
	w.event(crm.EventUserDeactivated, map[string]any{"tenant": tenantBlock("plan", "enterprise"), "user_id": "43"}, 12).want(202, "")
	w.event(crm.EventPlanChanged, map[string]any{"tenant": tenantBlock("plan", "starter")}, 11).want(202, "")
	if got := w.events.applied[1].Tenant.Plan; got != "enterprise" {
		t.Errorf("the older event was applied with plan %s", got)
	}
}

func TestNewestTenantBlockWins(t *testing.T) {
	w := newWorld(t, func(o *setup) { o.unchecked = true }) // the document wants whole blocks
	w.page("acme", "42")
	plan := func() string {
		tenant, err := w.db.Store.Tenants.Get(t.Context(), "t_9")
		w.must(err)
		return tenant.Plan + " " + tenant.Name
	}
	w.clock.Add(time.Second)
	w.event(crm.EventPlanChanged, map[string]any{"tenant": tenantBlock("plan", "starter")}, 10).want(202, "")
	if plan() != "starter Acme Inc" {
		t.Errorf("after the change: %s", plan())
	}
	w.clock.Add(time.Second) // sent later, but older
	w.event(crm.EventPlanChanged, map[string]any{"tenant": tenantBlock("plan", "enterprise")}, 9).want(202, "")
	if plan() != "starter Acme Inc" {
		t.Errorf("a lower seq changed the plan: %s", plan())
	}
	late := w.envelope(crm.EventPlanChanged, map[string]any{"tenant": tenantBlock("plan", "enterprise")})
	w.clock.Add(time.Second)
	w.event(crm.EventTenantRenamed, map[string]any{"tenant": map[string]any{"id": "t_9", "name": "Acme Corp"}}, 11).want(202, "")
	if plan() != "starter Acme Corp" {
		t.Errorf("a block that names no plan: %s", plan())
	}
	w.ask("/crm/events", crm.NewID(), late).want(202, "")
	if plan() != "starter Acme Corp" {
		t.Errorf("an older stamp changed the plan: %s", plan())
	}
	w.ask("/automation/options", crm.NewID(), w.envelope(crm.CallOptions, map[string]any{"tenant": tenantBlock("plan", "enterprise"), "field": "from_user"})).want(200, "")
	if plan() != "enterprise Acme Inc" {
		t.Errorf("a newer call: %s", plan())
	}
}
