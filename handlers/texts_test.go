package handlers_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/models/ledger"
)

func split(address string) (method, path string) {
	method, path, _ = strings.Cut(address, " ")
	return method, path
}

var idempotent = header("Idempotency-Key", "k1")

func TestTextIsAcceptedOnce(t *testing.T) {
	w := newWorld(t).connected()
	popup := w.popup("acme", "42", one("+14155550142"))
	first := w.call("POST", "/embed/api/batches", popup, map[string]any{"message": "Hi"}, idempotent).want(202, "")
	again := w.call("POST", "/embed/api/batches", popup, map[string]any{"message": "Hi"}, idempotent).want(202, "")
	if first.text("batch", "id") == "" || first.text("batch", "id") != again.text("batch", "id") {
		t.Errorf("two batches: %s and %s", first.body, again.body)
	}
	w.call("POST", "/embed/api/batches", popup, map[string]any{"message": "Ho"}, idempotent).want(409, "idempotency_conflict")
	batch := "/embed/api/batches/" + first.text("batch", "id")
	if got := w.call("GET", batch, popup, nil).want(200, ""); got.at("batch", "counts", "total") != 1. {
		t.Errorf("batch %s", got.body)
	}
	messages := w.call("GET", batch+"/messages", popup, nil).want(200, "")
	message := messages.at("messages").([]any)[0].(map[string]any)
	receipt := w.call("GET", "/embed/api/messages/"+message["id"].(string)+"/receipt", popup, nil).want(200, "")
	if receipt.text("message", "text") != "Hi" {
		t.Errorf("receipt %s", receipt.body)
	}
	// The outbox drives the same addresses with a page's session.
	page := w.page("acme", "42")
	if list := w.call("GET", "/texts/api/batches?state=sending", page, nil).want(200, ""); len(list.at("batches").([]any)) != 1 {
		t.Errorf("outbox %s", list.body)
	}
	w.call("POST", "/embed/api/messages/"+message["id"].(string)+"/cancel", page, nil).want(200, "")
	w.call("POST", "/embed/api/messages/"+message["id"].(string)+"/cancel", page, nil).want(409, "state_conflict")
	w.call("POST", batch+"/resend", page, map[string]any{"states": []string{"uncertain"}}).want(409, "confirm_required")
	w.call("POST", batch+"/resend", page, map[string]any{"states": []string{"delivered"}}).want(400, "bad_request")
	w.call("POST", batch+"/resend", page, map[string]any{"states": []string{"cancelled"}}).want(200, "")
}

func TestIdempotencyKeyIsRequired(t *testing.T) {
	w := newWorld(t).connected()
	popup := w.popup("acme", "42", one("+14155550142"))
	w.call("POST", "/embed/api/batches", popup, map[string]any{"message": "Hi"}).want(400, "bad_request")
	w.call("POST", "/embed/api/batches", popup, map[string]any{"message": "Hi"}, header("Idempotency-Key", strings.Repeat("k", 201))).want(400, "bad_request")
	w.call("POST", "/embed/api/batches", popup, map[string]any{"message": "Hi"}, header("Idempotency-Key", "\xff")).want(400, "bad_request")
	w.call("POST", "/embed/api/batches", popup, map[string]any{"message": "Hi"}, header("Idempotency-Key", strings.Repeat("k", 200))).want(202, "")
}

func TestBodiesAreReadStrictly(t *testing.T) {
	w := newWorld(t).connected()
	popup := w.popup("acme", "42", one("+14155550142"))
	const path = "/embed/api/batches"
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		field  string
	}{
		"unknown field":       {`{"message":"Hi","bcc":"x"}`, 400, "bad_request", "bcc"},
		"unknown inner field": {`{"message":"Hi","late":{"after_minutes":5,"do":"hold","x":1}}`, 400, "bad_request", "x"},
		"wrong type":          {`{"message":7}`, 400, "bad_request", "message"},
		"wrong inner type":    {`{"message":"Hi","schedule":{"local":7}}`, 400, "bad_request", "schedule.local"},
		"a fraction as an id": {`{"message":"Hi","template_id":1.5}`, 400, "bad_request", ""},
		"more behind":         {`{"message":"Hi"}{}`, 400, "bad_request", ""},
		"a list":              {`[{"message":"Hi"}]`, 400, "bad_request", ""},
		"null":                {`null`, 400, "bad_request", ""},
		"nothing":             {` `, 400, "bad_request", ""},
		"half":                {`{"message":"Hi`, 400, "bad_request", ""},
		"not UTF-8":           {"{\"message\":\"\xff\"}", 400, "bad_request", ""},
		"a NUL":               {`{"message":"a\u0000b"}`, 400, "bad_request", ""},
		"a mebibyte and more": {`{"message":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "too_large", ""},
		"no text":             {`{}`, 422, "", ""},
		"an unknown variable": {`{"message":"Hi {{Contact.fristName}}"}`, 422, "unknown_field", "Contact.fristName"},
		"a broken variable":   {`{"message":"Hi {{Contact.firstName"}`, 422, "template_invalid", ""},
		"a zone of nobody":    {`{"message":"Hi","schedule":{"local":"2026-11-24T09:00","time_zone":"Mars/One"}}`, 400, "bad_request", "schedule.time_zone"},
		"a time that is past": {`{"message":"Hi","schedule":{"local":"2020-11-24T09:00","time_zone":"America/New_York"}}`, 422, "time_past", ""},
		"a time twice":        {`{"message":"Hi","schedule":{"local":"2026-11-01T01:30","time_zone":"America/New_York"}}`, 409, "time_ambiguous", ""},
		"a time that is not":  {`{"message":"Hi","schedule":{"local":"2026-03-08T02:30","time_zone":"America/New_York"}}`, 409, "time_missing", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			r := w.call("POST", path, popup, c.body, idempotent).want(c.status, c.code)
			if c.field != "" && r.text("error", "details", "field") != c.field {
				t.Errorf("names the field %q, want %q: %s", r.text("error", "details", "field"), c.field, r.body)
			}
		})
	}
	w.t = t
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"} {
		w.call("POST", path, popup, `{"message":"Hi"}`, idempotent, header("Content-Type", kind)).want(415, "unsupported_media_type")
	}
	w.call("POST", path, popup, `{"message":"a backslash \\u0000 is no NUL"}`, idempotent, header("Content-Type", "application/json; charset=utf-8")).want(202, "")
	w.call("POST", "/apps/dialpad/disconnect", w.page("acme", "42"), `{"now":true}`).want(400, "bad_request")
	if list := w.call("GET", "/texts/api/batches", w.page("acme", "42"), nil); len(list.at("batches").([]any)) != 1 {
		t.Errorf("a refused request left something: %s", list.body)
	}
}

func TestIneligibleUserGetsTheReason(t *testing.T) {
	w := newWorld(t)
	send := func(user, number string) response {
		return w.call("POST", "/embed/api/batches", w.popup("acme", user, one(number)), map[string]any{"message": "Hi"}, header("Idempotency-Key", crm.NewID()))
	}
	r := send("42", "+14155550142").want(409, "not_installed")
	if r.text("error", "message") != "You need an active DialPad connection to use this feature. Click here to connect." ||
		r.text("error", "details", "link", "url") != appPage {
		t.Errorf("refusal %s", r.body)
	}
	w.connected()
	if r := send("44", "+14155550142").want(403, "no_account"); r.text("error", "message") != "No Dialpad account found" {
		t.Errorf("refusal %s", r.body)
	}
	send("42", "555").want(422, "invalid_number")
	w.crm.OptOut("acme", "+14155550142")
	if r := send("42", "+14155550142").want(422, "opted_out"); r.text("error", "message") != "Unsubscribed from Text" {
		t.Errorf("refusal %s", r.body)
	}
	w.crm.SetPlan("acme", "starter")
	w.page("acme", "42") // the next launch brings the news
	send("42", "+14155550143").want(402, "plan_required")
}

func TestSessionKindsOpenTheirOwnAddresses(t *testing.T) {
	w := newWorld(t)
	popup, page := w.popup("acme", "42", one("+14155550142")), w.page("acme", "42")
	for _, address := range []string{"GET /apps/dialpad/status", "POST /apps/dialpad/install", "GET /texts/api/batches"} {
		method, path := split(address)
		w.call(method, path, popup, nil).want(401, "session_over")
	}
	for _, address := range []string{"GET /embed/api/context", "GET /embed/api/templates", "POST /embed/api/render", "POST /embed/api/preview", "POST /embed/api/batches"} {
		method, path := split(address)
		w.call(method, path, page, nil).want(401, "session_over")
	}
	for _, session := range []string{popup, page} {
		w.call("GET", "/embed/api/batches/x", session, nil).want(404, "not_found")
		w.call("GET", "/embed/api/messages/x/receipt", session, nil).want(404, "not_found")
	}
	for _, authorization := range []string{"", "Bearer ", "Basic " + page, page, "Bearer " + page + "x"} {
		r := w.send("GET", "/apps/dialpad/status", nil, header("Authorization", authorization)).want(401, "session_over")
		if r.text("error", "message") != "This page's session is over. Reload it from the CRM." {
			t.Errorf("message %s", r.body)
		}
	}
	w.send("GET", "/apps/dialpad/status?session="+page, nil).want(401, "session_over")
	w.clock.Add(16 * time.Minute)
	w.call("GET", "/apps/dialpad/status", page, nil).want(401, "session_over")
}

func TestADeactivatedUsersSessionsAreOver(t *testing.T) {
	w := newWorld(t)
	page := w.page("acme", "43")
	w.must(w.db.Users.Deactivate(t.Context(), "t_9", "43"))
	w.call("GET", "/apps/dialpad/status", page, nil).want(401, "session_over")
}

func TestOtherUsersTextsAreNotFound(t *testing.T) {
	w := newWorld(t).connected()
	made := w.call("POST", "/embed/api/batches", w.popup("acme", "42", one("+14155550142")), map[string]any{"message": "Hi"}, idempotent).want(202, "")
	batch := made.text("batch", "id")
	message := w.call("GET", "/embed/api/batches/"+batch+"/messages", w.page("acme", "42"), nil).at("messages").([]any)[0].(map[string]any)["id"].(string)
	for who, session := range map[string]string{
		"another user":     w.page("acme", "43"),
		"another's popup":  w.popup("acme", "43", one("+14155550142")),
		"another tenant":   w.page("globex", "51"), // an admin there
		"a popup of there": w.popup("globex", "51", one("+14155550142")),
	} {
		for address, body := range map[string]any{
			"GET /embed/api/batches/" + batch:                 nil,
			"PATCH /embed/api/batches/" + batch:               map[string]any{"message": "Ho"},
			"GET /embed/api/batches/" + batch + "/messages":   nil,
			"POST /embed/api/batches/" + batch + "/cancel":    nil,
			"POST /embed/api/batches/" + batch + "/pause":     nil,
			"POST /embed/api/batches/" + batch + "/resume":    nil,
			"POST /embed/api/batches/" + batch + "/resend":    map[string]any{"states": []string{"failed"}},
			"POST /embed/api/messages/" + message + "/cancel": nil,
			"GET /embed/api/messages/" + message + "/receipt": nil,
		} {
			method, path := split(address)
			r := w.call(method, path, session, body)
			if r.status != 404 || r.code() != "not_found" {
				t.Errorf("%s: %s answered %d %s", who, address, r.status, r.code())
			}
			// and in the very words of what does not exist
			nothing := w.call(method, strings.NewReplacer(batch, "0", message, "0").Replace(path), session, body)
			if diff := cmp.Diff(nothing.body, r.body); diff != "" {
				t.Errorf("%s: %s reveals that it exists: %s", who, address, diff)
			}
		}
		w.call("GET", "/embed/api/batches/"+batch+"/messages", session, nil, header("Accept", "text/csv")).want(404, "not_found")
	}
	w.call("GET", "/embed/api/batches/"+batch, w.page("acme", "42"), nil).want(200, "")
}

func TestTheReportIsCSV(t *testing.T) {
	w := newWorld(t).connected()
	w.db.Tenant("t_9")
	messages := seedBatch(w, 3)
	r := w.call("GET", "/embed/api/batches/"+seededBatch+"/messages", w.page("acme", "42"), nil, header("Accept", "text/csv")).want(200, "")
	if got := r.header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Errorf("type %q", got)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(r.body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 1+messages {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	w.call("GET", "/embed/api/batches/"+seededBatch+"/messages?state=lost", w.page("acme", "42"), nil, header("Accept", "text/csv")).want(400, "bad_request")
	w.call("GET", "/embed/api/batches/"+seededBatch+"/messages?state=lost", w.page("acme", "42"), nil).want(400, "bad_request")
	if r := w.call("GET", "/embed/api/batches/"+seededBatch+"/messages", w.page("acme", "42"), nil, header("Accept", "application/json")).want(200, ""); r.at("messages") == nil {
		t.Errorf("no JSON: %s", r.body)
	}
}

// seededBatch is the id of seedBatch's.
const seededBatch = "01a22d1d-ea4e-7718-b2f7-b2973229082e"

// seedBatch stores a batch of n texts to Acme's company.
func seedBatch(w *world, n int) int {
	w.t.Helper()
	c, err := w.db.Connections.Get(w.t.Context(), "t_9")
	w.must(err)
	tenant := w.db.Tenant("t_9")
	tenant.Lane = c.CompanyID
	return len(tenant.Batch(seededBatch, ledger.ClassBulk, "1", "ana@acme.com", n))
}

func TestQueriesAreChecked(t *testing.T) {
	w := newWorld(t)
	page := w.page("acme", "42")
	for _, query := range []string{"state=lost", "source=mail", "q=%00", "q=%ff", "q=a&q=b", "q=" + strings.Repeat("x", 1001)} {
		w.call("GET", "/texts/api/batches?"+query, page, nil).want(400, "bad_request")
	}
	w.call("GET", "/texts/api/batches?state=done&source=bulk&q=hello&cursor=", page, nil).want(200, "")
}

func TestTemplatesAndPreview(t *testing.T) {
	w := newWorld(t).connected()
	popup := w.popup("acme", "42", one("+14155550142"))
	list := w.call("GET", "/embed/api/templates?q=", popup, nil).want(200, "")
	templates := list.at("templates").([]any)
	if len(templates) == 0 {
		t.Fatalf("no templates: %s", list.body)
	}
	first := templates[0].(map[string]any)["id"].(string)
	w.call("POST", "/embed/api/render", popup, map[string]any{"template_id": first}).want(200, "")
	w.call("POST", "/embed/api/render", popup, map[string]any{"template_id": 987654}).want(404, "not_found")
	w.call("POST", "/embed/api/render", popup, map[string]any{}).want(400, "bad_request")
	bulk := w.popup("acme", "42", &crm.LaunchTarget{Mode: crm.ModeBulk, Module: crm.ModuleContact, RecordIDs: ids(20)})
	r := w.call("POST", "/embed/api/preview", bulk, map[string]any{"to_field": "mobile", "message": "Hi {{Contact.firstName|there}}"}).want(200, "")
	if r.at("total") != 20. || r.at("complete") != true {
		t.Errorf("preview %s", r.body)
	}
	w.crm.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
	w.call("GET", "/embed/api/templates?q=new", popup, nil).want(503, "crm_unreachable")
}

func TestAnAnswerIsInTheConversation(t *testing.T) {
	w := newWorld(t).connected()
	const bob = "+14155550142"
	popup := w.popup("acme", "42", one(bob))
	id := w.call("POST", "/embed/api/batches", popup, map[string]any{"message": "Is 10 fine?"}, idempotent).want(202, "").text("batch", "id")
	m := w.post(id)
	w.clock.Add(time.Minute)
	path, secret := w.hook("t_9")
	e := inbound("Yes, 10 works")
	e["event_timestamp"] = w.clock.Now().UnixMilli()
	e["to_number"] = []string{m.FromNumber}
	w.deliver(path, jwtOf(t, jwt.SigningMethodHS256, []byte(secret), e)).want(204, "")
	r := w.call("GET", "/embed/api/conversation", popup, nil).want(200, "")
	items := r.at("items").([]any)
	if len(items) != 2 || items[0].(map[string]any)["text"] != "Yes, 10 works" || items[1].(map[string]any)["text"] != "Is 10 fine?" {
		t.Errorf("the conversation is %s", r.body)
	}
	if strings.Contains(w.log.String(), "10 works") {
		t.Error("the log has the answer")
	}
	w.call("GET", "/embed/api/conversation?cursor=made-up", popup, nil).want(400, "bad_request")
}

// post claims a batch's texts, as a worker that is about to post them does,
// and returns the first.
func (w *world) post(batchID string) ledger.Message {
	w.t.Helper()
	lanes, err := w.db.Lanes.AcquireAllTenants(w.t.Context(), "w1", time.Hour, 0, 1)
	w.must(err)
	_, _, err = w.db.Lanes.Claim(w.t.Context(), lanes[0], ledger.ClaimParams{N: 10, Base: w.clock.Now()})
	w.must(err)
	list, err := w.db.Messages.List(w.t.Context(), "t_9", batchID, []string{ledger.Sending}, "", 10)
	w.must(err)
	return list[0]
}

func ids(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint(i+1))
	}
	return list
}

func TestHeldBatchHasAReason(t *testing.T) {
	w := newWorld(t).connected()
	popup := w.popup("acme", "42", one("+14155550142"))
	made := w.call("POST", "/embed/api/batches", popup, map[string]any{"message": "Hi"}, idempotent).want(202, "")
	if made.at("batch", "held_code") != nil {
		t.Errorf("at first %s", made.body)
	}
	page := w.page("acme", "42")
	w.call("POST", "/apps/dialpad/disconnect", page, nil).want(204, "")
	got := w.call("GET", "/embed/api/batches/"+made.text("batch", "id"), page, nil).want(200, "")
	if got.text("batch", "state") != ledger.BatchHeld || got.text("batch", "held_code") != ledger.HeldDisconnected || got.text("batch", "reason") == "" {
		t.Errorf("held as %s", got.body)
	}
}

func TestHourlyLimitIsAnswered429(t *testing.T) {
	w := newWorld(t, func(o *setup) { o.perHour = 1 }).connected()
	send := func(key string) response {
		return w.call("POST", "/embed/api/batches", w.popup("acme", "42", one("+14155550142")), map[string]any{"message": "Hi"}, header("Idempotency-Key", key))
	}
	send("a").want(202, "")
	r := send("b").want(429, "hourly_limit")
	if after := r.header.Get("Retry-After"); after != "3600" || !strings.Contains(r.text("error", "message"), "Go on in 60 min") {
		t.Errorf("Retry-After %q: %s", after, r.body)
	}
	w.clock.Add(time.Hour)
	send("b").want(202, "")
}
